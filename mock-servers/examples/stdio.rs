//! Serves the reference server on stdin and stdout, with the faults that are named.

fn main() -> std::io::Result<()> {
    let mut faults = Vec::new();
    for name in std::env::args().skip(1) {
        match mock_servers::fault(&name) {
            Some(fault) => faults.push(fault),
            None => {
                eprintln!("no fault is called `{name}`");
                std::process::exit(2);
            }
        }
    }
    mock_servers::stdio::serve(&faults)
}
