//! A load tool: see `--help`.
#![forbid(unsafe_code)]

mod options;

use clap::Parser as _;
use options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    let mut tell = |news: &str| eprintln!("{news}");
    let report = match load::run(options.plan(), options.timing(), &options.figures(), &mut tell) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("Sorry: {error}.");
            return ExitCode::FAILURE;
        }
    };
    if options.json {
        match serde_json::to_string_pretty(&report) {
            Ok(json) => println!("{json}"),
            Err(error) => {
                eprintln!("Sorry: {error}.");
                return ExitCode::FAILURE;
            }
        }
    } else {
        print!("{report}");
    }
    if options.strict {
        let short = report.shortcomings();
        short.iter().for_each(|what| eprintln!("Short: {what}."));
        return if short.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    // Who could not come was not measured: that is no success.
    if report.failures.is_empty() && report.connected > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
