//! The command line, defined once: help, completions and the man page come from here.

use clap::{Args, Parser, Subcommand, ValueEnum};
use ruleferry_engine::Language;
use std::path::PathBuf;

/// Carries detection rules between SIEMs and loses no alert silently.
///
/// Data goes to stdout, messages to stderr. Exit status: 0 done and nothing to report, 1 error, 2 it worked and there is
/// something to report (a lossy or refused rule, a finding, a file to format).
#[derive(Debug, Parser)]
#[command(name = "ruleferry", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Convert rules to a target
    ///
    /// Every output keeps what its source finds, or says in which direction it differs and why. What has no faithful
    /// form is refused with the reason.
    Convert(Convert),
    /// Convert a whole catalogue to several targets, in a folder that later runs go on with
    ///
    /// Writes `<target>/…` as a mirror of the rules, `ledger.jsonl` with a record a rule and target, and the reports `report.html`,
    /// `report.md` and `report.json`. What has not changed is not done again; what was edited by hand is not overwritten; a
    /// run that was cut short is gone on with.
    Migrate(Migrate),
    /// Say which deployed rules no longer mean what their source means
    ///
    /// A rule that was only reformatted has not drifted; one that finds less or more, is disabled, runs less often, triggers later
    /// or is suppressed for longer has. Rules are paired by the file that a converted rule names, by id, by path, by title.
    /// Exit status 0 if nothing drifted, 2 if something did, 1 if something cannot be read.
    Drift(Drift),
    /// Say how what one rule finds relates to what another finds
    ///
    /// The verdict is about meaning, not text: `equivalent` is proved, `equivalent-bounded` was tested on tables and shows no
    /// difference, `narrower` (B misses what A finds), `wider` (B finds more) and `divergent` come with events that show
    /// it. Languages may differ. Folders are compared rule by rule: paired by the file that a converted rule names, by id,
    /// by path, by title. Exit status 0 if all are equivalent, 2 otherwise; with a gate, 2 only where the gate fails.
    Diff(Diff),
    /// Run a rule on event files
    ///
    /// Prints the rows that the rule finds. A file holds the events of one table: JSON (an array, or one object behind the
    /// other), JSON lines, CSV with a line of names, or Parquet. Tables without a shipped schema have the columns and types
    /// of their events.
    Run(Run),
    /// Run the unit tests kept beside rules in `<rule>.test.yaml`
    ///
    /// A test gives events and says which rows the rule finds. `ruleferry schema test` prints the form of the file.
    Test(Test),
    /// Parse and lift rules, and say what is wrong with them
    ///
    /// Also what is proved of a rule alone: conditions that never or always hold, exclusions that hide all or nothing, gaps
    /// between runs, thresholds out of reach. `ruleferry codes E0921` and on say what each finding means.
    Check(Check),
    /// Say what a rule does, stage by stage and in plain language
    ///
    /// Metadata, ATT&CK, stages with their conditions, what is looked for and what is left out, outputs, schedule, needs.
    Explain(Explain),
    /// Write rules in their canonical layout, comments kept
    Fmt(Fmt),
    /// List the targets, or show one
    Targets(Targets),
    /// Say what a diagnostic or loss code means
    Codes(Codes),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page
    Man,
    /// Print the JSON Schema of a record or of a file
    Schema(Schema),
}

/// Which rules, and how they are read.
#[derive(Clone, Debug, Args)]
pub struct Rules {
    /// Rule files and folders; `-` is standard input. Folders are walked, `.gitignore` is respected
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Read every file as this language, whatever its name and content say
    #[arg(long, value_name = "LANG", value_parser = Language::NAMES)]
    pub from: Option<String>,
}

#[derive(Debug, Args)]
pub struct Convert {
    #[command(flatten)]
    pub rules: Rules,
    /// The target; `ruleferry targets` lists them
    #[arg(long, value_name = "TARGET")]
    pub to: String,
    /// Write the outputs below this folder, as a mirror of the inputs
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Whose tables and fields the output uses; `native` keeps the source's own
    #[arg(long, value_name = "NAME", default_value = "native", value_parser = ["native"])]
    pub schema: String,
    /// The worst loss that is still emitted
    #[arg(long, value_enum, default_value = "wider")]
    pub max_loss: MaxLoss,
    /// The time that `now()` stands for, written into the output as a literal (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Values for Sigma's placeholders: a YAML or JSON mapping from name to values
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// Refuse what cannot be proved equivalent
    #[arg(long)]
    pub require_proof: bool,
    /// Do not read the output again to compare it with its source
    #[arg(long)]
    pub no_validate: bool,
    /// `text` prints the artefacts, `json` one record a rule
    #[arg(long, value_enum, default_value = "text")]
    pub format: TextOrJson,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("other").required(true).args(["deployed", "since"]))]
pub struct Drift {
    /// The source: a file, a folder, or either at a git revision (`rules@main`)
    #[arg(value_name = "SRC")]
    pub source: PathBuf,
    /// What is deployed: converted files, an export of a platform, a folder of either
    #[arg(value_name = "DEPLOYED")]
    pub deployed: Option<PathBuf>,
    /// Compare with what SRC was at this git revision instead
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,
    /// Drift that is accepted, with a reason and the last day (YAML)
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// What cannot be decided does not fail the run
    #[arg(long)]
    pub allow_unknown: bool,
    /// Read every file as this language, whatever its name and content say
    #[arg(long, value_name = "LANG", value_parser = ["kql", "sigma"])]
    pub from: Option<String>,
    /// Values for Sigma's placeholders: a YAML or JSON mapping from name to values
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// Give up on a rule after this long (`10s`): what is not decided by then is unknown
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    pub format: DriftFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DriftFormat {
    Text,
    /// One object a rule
    Json,
    Sarif,
    Github,
    Junit,
    Markdown,
}

#[derive(Debug, Args)]
pub struct Migrate {
    #[command(flatten)]
    pub rules: Rules,
    /// The targets; `ruleferry targets` lists them
    #[arg(long, value_name = "TARGET", required = true, num_args = 1.., value_delimiter = ',')]
    pub to: Vec<String>,
    /// The folder of the outputs, the ledger and the reports
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// The worst loss that is still emitted
    #[arg(long, value_enum, default_value = "wider")]
    pub max_loss: MaxLoss,
    /// The time that `now()` stands for, written into the outputs as a literal (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Values for Sigma's placeholders: a YAML or JSON mapping from name to values
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// Refuse what cannot be proved equivalent
    #[arg(long)]
    pub require_proof: bool,
    /// Do not read the outputs again to compare them with their sources
    #[arg(long)]
    pub no_validate: bool,
}

impl Migrate {
    /// The conversion to one of the targets.
    pub fn convert(&self, to: &str) -> Convert {
        Convert {
            rules: self.rules.clone(),
            to: to.to_owned(),
            output: Some(self.output.clone()),
            schema: "native".to_owned(),
            max_loss: self.max_loss,
            now: self.now.clone(),
            values: self.values.clone(),
            require_proof: self.require_proof,
            no_validate: self.no_validate,
            format: TextOrJson::Json,
        }
    }
}

#[derive(Debug, Args)]
pub struct Diff {
    /// File, folder, `-`, or either at a git revision: `rules/a.yaml@main`
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// What is compared with A
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// Show the difference of the texts, too
    #[arg(long)]
    pub text: bool,
    /// Fail only where B misses something that A finds
    #[arg(long)]
    pub no_new_blind_spot: bool,
    /// Fail only where B finds something that A does not
    #[arg(long)]
    pub no_new_noise: bool,
    /// Let pairs pass the gates whose relation is not known
    #[arg(long)]
    pub allow_unknown: bool,
    /// The longest that one pair may take (`500ms`, `10s`, `2m`); then its verdict is `unknown`
    #[arg(long, value_name = "T")]
    pub timeout: Option<String>,
    /// The time that `now()` stands for in the tables that are tried (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Values for Sigma's placeholders: a YAML or JSON mapping from name to values
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// Read every file as this language, whatever its name and content say
    #[arg(long, value_name = "LANG", value_parser = Language::NAMES)]
    pub from: Option<String>,
    /// How the result is shown; `json` is one record a pair
    #[arg(long, value_enum, default_value = "text")]
    pub format: DiffFormat,
}

#[derive(Debug, Args)]
pub struct Run {
    /// The file of the rule; `-` is standard input
    #[arg(value_name = "RULE")]
    pub rule: PathBuf,
    /// Events: `TABLE=FILE`, a file named after its table, or a folder of such. Also gives watchlists and other inputs by
    /// their name
    #[arg(long, value_name = "TABLE=FILE|FILE|DIR")]
    pub data: Vec<String>,
    /// Read the rule as this language, whatever its name and content say
    #[arg(long, value_name = "LANG", value_parser = Language::NAMES)]
    pub from: Option<String>,
    /// What runs the rule: the evaluator that defines its meaning, or DuckDB over the SQL that it converts to
    #[arg(long, value_enum, default_value = "reference")]
    pub engine: Engine,
    /// The time that `now()` stands for (RFC 3339); the system clock without it
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Values for Sigma's placeholders: a YAML or JSON mapping from name to values
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// How the rows are printed
    #[arg(long, value_enum, default_value = "table")]
    pub format: RowFormat,
}

#[derive(Debug, Args)]
pub struct Test {
    /// Folders, rules, and files of tests
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What runs the rules
    #[arg(long, value_enum, default_value = "reference")]
    pub engine: Engine,
    /// Values for Sigma's placeholders: a YAML or JSON mapping from name to values
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// How the results are printed; `json` is one record a case
    #[arg(long, value_enum, default_value = "text")]
    pub format: TestFormat,
}

#[derive(Debug, Args)]
pub struct Schema {
    /// What is described; without it the names are listed
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub rules: Rules,
    /// Mend in the files what can be mended without a change of meaning: each edit is proved
    #[arg(long)]
    pub fix: bool,
    /// How findings are shown
    #[arg(long, value_enum, default_value = "text")]
    pub format: Findings,
}

#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    pub rules: Rules,
    /// Values for Sigma's placeholders: a YAML or JSON mapping from name to values
    #[arg(long, value_name = "FILE")]
    pub values: Option<PathBuf>,
    /// How it is shown; `json` is one record a rule
    #[arg(long, value_enum, default_value = "text")]
    pub format: ExplainFormat,
}

#[derive(Debug, Args)]
pub struct Fmt {
    #[command(flatten)]
    pub rules: Rules,
    /// Change nothing; name the files that would change and exit with 2
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct Targets {
    /// Show this target alone
    pub name: Option<String>,
    /// Print the `CREATE TABLE`s that emitted SQL expects, of all tables or those named
    #[arg(long, value_name = "TABLE", num_args = 0.., requires = "name")]
    pub ddl: Option<Vec<String>>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: TextOrJson,
}

#[derive(Debug, Args)]
pub struct Codes {
    /// Explain this code alone
    pub code: Option<String>,
    #[arg(long, value_enum, default_value = "text")]
    pub format: TextOrJson,
}

#[derive(Debug, Args)]
pub struct Completions {
    pub shell: clap_complete::Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Reference,
    Embedded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    Table,
    Json,
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    Text,
    Json,
    Junit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    Text,
    Json,
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    Text,
    Json,
    Sarif,
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Findings {
    Text,
    Json,
    Sarif,
    Github,
    Junit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MaxLoss {
    None,
    Cosmetic,
    Wider,
    Any,
}
