//! A strict WebSocket echo server. See `--help`.

fn main() -> std::process::ExitCode {
    wsgrade_reference_server::cli::server::main()
}
