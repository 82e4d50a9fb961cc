use setpoint_lab::Session;
use setpoint_lab::kubectl::Terminal;
#[test]
fn demo() {
    let mut session = Session::welcome(1);
    session.advance(30_000_000, &mut || true);
    for line in std::env::var("LINES_").unwrap_or_default().split(';') {
        let s = session.kubectl(&mut Terminal::default(), line, "");
        println!("$ {line}\n{}{}({:?})", s.output.out(), s.output.err(), s.output.code);
    }
}
