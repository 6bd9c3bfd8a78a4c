//! A strict WebSocket client. See `--help`.

fn main() -> std::process::ExitCode {
    wsgrade_reference_server::cli::client::main()
}
