"use strict";
{
  const byId = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const filter = byId("filter");
  const form = filter.querySelector("form");
  const [words, area, revision] = ["words", "area", "revision"].map(byId);
  const verdicts = all("input[name=verdict]", form);
  const items = all("[data-cells]").map((element) => ({
    element,
    row: element.localName === "tr",
    id: element.dataset.case,
    area: element.dataset.case.split("/")[0],
    cells: element.dataset.cells.split(" ").map((cell) => cell.split(":")),
  }));
  // A row is found by what its findings say, too.
  const texts = new Map();
  for (const { id, element } of items) {
    texts.set(id, `${texts.get(id) ?? ""} ${element.textContent.toLowerCase()}`);
  }
  const sections = all(".chapter, .area");

  const narrow = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const only = verdicts.filter((box) => box.checked).map((box) => box.value);
    for (const item of items) {
      const seen = item.cells.some(
        ([inRevision, verdict]) =>
          (!revision.value || inRevision === revision.value) &&
          (only.length === 0 || only.includes(verdict)),
      );
      const shown =
        seen &&
        (!area.value || item.area === area.value) &&
        wanted.every((word) => texts.get(item.id).includes(word));
      item.element.hidden = !shown;
    }
    for (const section of sections) {
      section.hidden = !section.querySelector("[data-cells]:not([hidden])");
    }
    const rows = items.filter((item) => item.row);
    const left = rows.filter((item) => !item.element.hidden).length;
    const narrowed = wanted.length > 0 || only.length > 0 || area.value || revision.value;
    byId("shown").textContent = narrowed ? `${left} of ${rows.length} cases shown` : "";
  };

  form.addEventListener("input", narrow);
  form.addEventListener("reset", () => setTimeout(narrow));
  form.addEventListener("submit", (event) => event.preventDefault());

  const findings = all(".finding");
  const unfold = byId("unfold");
  unfold.addEventListener("click", () => {
    const open = findings.some((finding) => !finding.open);
    for (const finding of findings) finding.open = open;
    unfold.textContent = open ? "Fold all" : "Unfold all";
  });

  // A link may lead to what is folded, or what the filter has hidden.
  const reveal = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) {
      form.reset();
      narrow();
    }
    if (target.localName === "details") target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  if (navigator.clipboard) {
    for (const command of all(".command")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(command.textContent);
          button.textContent = "Copied";
        } catch {
          button.textContent = "Cannot copy";
        }
      });
      command.after(button);
    }
  }

  // On paper nothing can be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = findings.filter((finding) => !finding.open);
    for (const finding of folded) finding.open = true;
  });
  addEventListener("afterprint", () => {
    for (const finding of folded) finding.open = false;
  });

  filter.querySelector("details").open = matchMedia("(min-width: 66rem)").matches;
  filter.hidden = false;
  narrow();
  if (location.hash) reveal();
}
