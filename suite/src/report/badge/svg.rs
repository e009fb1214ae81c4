//! The badge as a picture: no font is asked for that may be missing, and no text can run over,
//! since every length is known beforehand.

use std::io::{self, Write};

use super::{Badge, Shade};
use crate::{report::html::text, tape::escaped};

/// The font size and how far the text stands from the edges, in pixels.
const SIZE: f64 = 11.0;
const PADDING: f64 = 7.0;

/// How wide the letters from the space to the tilde are in Verdana and its kin, in thousandths of
/// the font size. Browsers stretch the text to the length that is computed here.
const WIDTHS: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

/// The width of a letter of another alphabet, or of a sign: that of the check mark.
const WIDE: u16 = 838;

/// How long the text is, in pixels.
fn length(text: &str) -> f64 {
    let width = |letter: char| match letter {
        '·' => 318,
        ' '..='~' => WIDTHS[letter as usize - ' ' as usize],
        _ => WIDE,
    };
    let sum: u32 = text.chars().map(|letter| u32::from(width(letter))).sum();
    f64::from(sum) * SIZE / 1000.0
}

/// What stands behind light text on a light page and on a dark one.
fn colors(shade: Shade) -> [&'static str; 2] {
    match shade {
        Shade::Good => ["#1a7f37", "#1f7a3a"],
        Shade::Bad => ["#cf222e", "#c02733"],
        Shade::Known => ["#8a5a00", "#855a10"],
        Shade::Untold => ["#656d76", "#5c646d"],
    }
}

const LABEL: [&str; 2] = ["#3d444d", "#2d333b"];
const INK: [&str; 2] = ["#ffffff", "#f0f3f6"];

pub(super) fn write(badge: &Badge, out: &mut dyn Write) -> io::Result<()> {
    let (label, message) = (escaped(&badge.label), escaped(&badge.message));
    let (label_length, message_length) = (length(&label), length(&message));
    let left = label_length + 2.0 * PADDING;
    let width = left + message_length + 2.0 * PADDING;
    let [light, dark] = colors(badge.shade);
    let title = text(&badge.title);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"20\" \
         viewBox=\"0 0 {width:.1} 20\" role=\"img\" aria-label=\"{title}\">\n\
         <title>{title}</title>\n\
         <style>@media (prefers-color-scheme: dark) {{ .l {{ fill: {}; }} .m {{ fill: {dark}; }} .t {{ fill: {}; }} }}</style>\n\
         <rect class=\"m\" width=\"{width:.1}\" height=\"20\" rx=\"3\" fill=\"{light}\"/>\n\
         <path class=\"l\" d=\"M3 0H{left:.1}V20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z\" fill=\"{}\"/>\n\
         <g class=\"t\" fill=\"{}\" font-family=\"Verdana,Geneva,'DejaVu Sans',sans-serif\" font-size=\"{SIZE}\">",
        LABEL[1], INK[1], LABEL[0], INK[0],
    )?;
    for (words, from, length) in [
        (&label, PADDING, label_length),
        (&message, left + PADDING, message_length),
    ] {
        writeln!(
            out,
            "<text x=\"{from:.1}\" y=\"14\" textLength=\"{length:.1}\">{}</text>",
            text(words)
        )?;
    }
    writeln!(out, "</g>\n</svg>")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How bright a colour is, as the WCAG defines it.
    fn luminance(color: &str) -> f64 {
        let channel = |at: usize| {
            let value = u8::from_str_radix(&color[at..at + 2], 16).unwrap();
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn text_can_be_told_from_what_is_behind_it() {
        let shades = [Shade::Good, Shade::Bad, Shade::Known, Shade::Untold];
        for behind in shades.map(colors).into_iter().chain([LABEL]) {
            for (ink, color) in INK.iter().zip(behind) {
                let (bright, dark) = (luminance(ink), luminance(color));
                let contrast = (bright + 0.05) / (dark + 0.05);
                assert!(contrast >= 4.5, "{ink} on {color}: {contrast:.2}");
            }
        }
    }

    #[test]
    fn lengths_follow_the_letters() {
        assert!((length("MCP") - 11.0 * (0.863 + 0.698 + 0.603)).abs() < 1e-9);
        assert!(length("W") > length("i"));
        assert!(length("✓") > 0.0);
    }
}
