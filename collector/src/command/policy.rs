//! `policy`: what a terminal's first payments say of its slips, shown as a proposal, tried on the stored journal, and put
//! in force when a person confirms it. Never in force by itself; writes nothing but the confirmed policies.

pub mod trial;

use super::{ConfigArgument, failure, put, tell};
use crate::config::Config;
use crate::config::confirmed::{self, Confirmed};
use crate::correlate::policy::{TerminalName, TerminalPolicy, WhoPrints};
use crate::correlate::proposal::{self, DEBITS_MAX, DEBITS_MIN, Evidence, NoProposal, Proposal};
use crate::edge::store::sqlite::{SqliteReader, SqliteStore};
use crate::run::STORE_FILE;
use crate::run::error::{EXIT_CONFIG, EXIT_STATE};
use clap::Subcommand;
use serde_json::{Value, json};
use slipwatch_shared::terminal::{StoreId, TerminalId};
use std::io::{self, Write};
use std::process::ExitCode;
use trial::Trial;

/// So many stored payments are looked at for [`DEBITS_MAX`] debits: declines and voids are among them.
const PAYMENTS_MAX: usize = 5 * DEBITS_MAX;

fn help() -> String {
    format!(
        r#"A terminal in the settings without `who_prints` is heard and not judged. Once {DEBITS_MIN} of its debits were heard, `policy show` proposes from them, and from its first {DEBITS_MAX} at most, who prints, how many copies, and from which amount. `policy confirm` tries the proposal on the stored journal and, with --yes, writes it to confirmed.toml beside the settings; `systemctl reload slipwatch-collector` puts it in force.

Examples:
  slipwatch-collector policy show
  slipwatch-collector policy show --shop shop-1 --json
  slipwatch-collector policy confirm --shop shop-1 --terminal 10000001
  slipwatch-collector policy confirm --shop shop-1 --terminal 10000001 --yes

Exit status: 0 all went well; 1 nothing can be proposed yet, or it could not be written; 73 the store cannot be read; 78 the settings are wrong"#
    )
}

/// Arguments of `policy`.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub struct PolicyArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Tell what each terminal is judged by, and what is proposed where that is not said
    Show {
        #[command(flatten)]
        config: ConfigArgument,
        /// Only this shop
        #[arg(long, value_name = "NAME")]
        shop: Option<StoreId>,
        /// Only this terminal
        #[arg(long, value_name = "NUMBER")]
        terminal: Option<TerminalId>,
        /// One terminal a line, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Try a proposal on the stored journal, and put it in force with --yes
    Confirm {
        #[command(flatten)]
        config: ConfigArgument,
        /// The terminal's shop
        #[arg(long, value_name = "NAME")]
        shop: StoreId,
        /// The terminal's number
        #[arg(long, value_name = "NUMBER")]
        terminal: TerminalId,
        /// Write it; without this nothing is changed
        #[arg(long)]
        yes: bool,
        /// Tell it as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Why a policy is not shown or confirmed.
#[derive(Debug, thiserror::Error)]
enum PolicyError {
    #[error("shop {shop} has no terminal {terminal} in the settings")]
    NoTerminal { shop: StoreId, terminal: TerminalId },
    #[error(
        "the settings say who prints at terminal {terminal}: take that line out to use what was learned"
    )]
    Said { terminal: TerminalId },
    #[error("nothing can be proposed for terminal {terminal} yet")]
    TooEarly { terminal: TerminalId, source: NoProposal },
    #[error("the store cannot be read")]
    Store(#[from] crate::edge::store::StoreError),
    #[error("the policy cannot be tried")]
    Trial(#[from] trial::TrialError),
    #[error("the confirmed policies cannot be written")]
    Write(#[source] io::Error),
    #[error("the result cannot be written")]
    Out(#[from] io::Error),
}

pub(super) fn run(arguments: &PolicyArguments) -> ExitCode {
    let (Action::Show { config, .. } | Action::Confirm { config, .. }) = &arguments.action;
    let config = match Config::load(&config.config) {
        Ok(config) => config,
        Err(error) => {
            tell(&error);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let mut out = io::stdout().lock();
    let done = match &arguments.action {
        Action::Show { shop, terminal, json, .. } => {
            show(&config, shop.as_ref(), *terminal, *json, &mut out)
        }
        Action::Confirm { shop, terminal, yes, json, .. } => {
            let name = TerminalName { store: shop.clone(), terminal: *terminal };
            confirm(&config, name, *yes, *json, &mut out)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(PolicyError::Out(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            tell(&error);
            match error {
                PolicyError::Store(_) | PolicyError::Trial(_) => ExitCode::from(EXIT_STATE),
                _ => failure(),
            }
        }
    }
}

fn open(config: &Config) -> Result<SqliteReader, PolicyError> {
    Ok(SqliteStore::open_reader(&config.beside(&config.store).join(STORE_FILE))?)
}

fn propose(
    reader: &mut SqliteReader,
    name: &TerminalName,
) -> Result<Result<Proposal, NoProposal>, PolicyError> {
    let rows = reader.first_payments(name, PAYMENTS_MAX)?;
    Ok(proposal::propose(rows.iter().map(|row| &row.case)))
}

fn show(
    config: &Config,
    shop: Option<&StoreId>,
    terminal: Option<TerminalId>,
    as_json: bool,
    out: &mut impl Write,
) -> Result<(), PolicyError> {
    let confirmed = confirmed::load(&config.path).unwrap_or_default();
    let mut reader: Option<SqliteReader> = None;
    for (name, policy) in config.policies().terminals {
        let wanted = shop.is_none_or(|shop| *shop == name.store)
            && terminal.is_none_or(|terminal| terminal == name.terminal);
        if !wanted {
            continue;
        }
        let learned = confirmed.get(&(name.store.clone(), name.terminal));
        if policy.who_prints != WhoPrints::Unsaid {
            let from = learned.filter(|learned| learned.policy.who_prints == policy.who_prints);
            said(&name, &policy, from, as_json, out)?;
            continue;
        }
        let reader = match &mut reader {
            Some(reader) => reader,
            None => reader.insert(open(config)?),
        };
        match propose(reader, &name)? {
            Ok(proposal) => proposed(&name, &proposal, None, "proposed", as_json, out)?,
            Err(early) => too_early(&name, early, as_json, out)?,
        }
    }
    Ok(())
}

fn confirm(
    config: &Config,
    name: TerminalName,
    yes: bool,
    as_json: bool,
    out: &mut impl Write,
) -> Result<(), PolicyError> {
    let TerminalName { store: shop, terminal } = name.clone();
    let policies = config.policies();
    let Some(known) = policies.terminals.get(&name) else {
        return Err(PolicyError::NoTerminal { shop, terminal });
    };
    let mut all = confirmed::load(&config.path).unwrap_or_default();
    let key = (shop, terminal);
    if known.who_prints != WhoPrints::Unsaid && !all.contains_key(&key) {
        return Err(PolicyError::Said { terminal });
    }
    let mut reader = open(config)?;
    let proposal = propose(&mut reader, &name)?
        .map_err(|source| PolicyError::TooEarly { terminal, source })?;
    let trial = trial::run(&mut reader, policies, &name, &proposal.policy)?;
    let state = if yes { "confirmed" } else { "proposed" };
    proposed(&name, &proposal, Some(&trial), state, as_json, out)?;
    if !yes {
        if !as_json {
            put(out, "Nothing was written. Say it again with --yes to put it in force.")?;
        }
        return Ok(());
    }
    let learned = Confirmed {
        policy: proposal.policy,
        learned_from: proposal.evidence.debits as u32,
        confirmed: crate::edge::clock::timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    all.insert(key, learned);
    let path = confirmed::save(&config.path, &all).map_err(PolicyError::Write)?;
    if !as_json {
        let path = path.display();
        let told =
            format!("Written to {path}. In force after: systemctl reload slipwatch-collector");
        put(out, &told)?;
    }
    Ok(())
}

/// What a policy says, as it would stand in the settings.
fn words(policy: &TerminalPolicy) -> String {
    let mut words = format!("who_prints = \"{}\"", policy.who_prints.label());
    if !matches!(policy.who_prints, WhoPrints::None | WhoPrints::Electronic | WhoPrints::Unsaid) {
        words.push_str(&format!(", copies = {}", policy.copies));
    }
    if let Some(amount) = policy.slip_due_from {
        words.push_str(&format!(", slip due from {amount}"));
    }
    if let Some(amount) = policy.contactless_due_from {
        words.push_str(&format!(", by contactless card from {amount}"));
    }
    words
}

fn policy_json(policy: &TerminalPolicy) -> Value {
    json!({
        "who_prints": policy.who_prints.label(),
        "copies": policy.copies,
        "slip_due_from": policy.slip_due_from.map(|amount| amount.to_string()),
        "contactless_due_from": policy.contactless_due_from.map(|amount| amount.to_string()),
    })
}

fn head(name: &TerminalName, state: &str) -> Value {
    let TerminalName { store, terminal } = name;
    json!({ "shop": store.as_str(), "terminal": terminal.as_str(), "state": state })
}

fn said(
    name: &TerminalName,
    policy: &TerminalPolicy,
    learned: Option<&Confirmed>,
    as_json: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let state = if learned.is_some() { "confirmed" } else { "said" };
    if as_json {
        let mut line = head(name, state);
        line["policy"] = policy_json(policy);
        return writeln!(out, "{line}");
    }
    let TerminalName { store, terminal } = name;
    let from = match learned {
        None => "by the settings".to_owned(),
        Some(Confirmed { learned_from, confirmed, .. }) => {
            format!("confirmed {confirmed}, learned from {learned_from} debits")
        }
    };
    put(out, &format!("{store} {terminal}: {from}\n  {}", words(policy)))
}

fn too_early(
    name: &TerminalName,
    early: NoProposal,
    as_json: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    if as_json {
        let NoProposal::TooFew { found } = early;
        let mut line = head(name, "learning");
        line["debits"] = found.into();
        return writeln!(out, "{line}");
    }
    put(out, &format!("{} {}: not judged; {early}", name.store, name.terminal))
}

fn proposed(
    name: &TerminalName,
    proposal: &Proposal,
    trial: Option<&Trial>,
    state: &str,
    as_json: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let Proposal { evidence, policy, fits_percent } = proposal;
    let Evidence { debits, paper, merchant, customer, electronic, declined, nothing } = evidence;
    if as_json {
        let mut line = head(name, state);
        line["policy"] = policy_json(policy);
        line["fits_percent"] = (*fits_percent).into();
        line["evidence"] = json!({
            "debits": debits, "paper": paper, "merchant": merchant, "customer": customer,
            "electronic": electronic, "declined": declined, "nothing": nothing,
        });
        if let Some(trial) = trial {
            line["trial"] = trial.json();
        }
        return writeln!(out, "{line}");
    }
    let TerminalName { store, terminal } = name;
    let told = format!(
        "{store} {terminal}: {state}, from {debits} debits, of which {fits_percent} % fit\n  {}\n  \
         heard: paper {paper} (shop's copy {merchant}, shopper's copy {customer}), electronic {electronic}, \
         declined {declined}, nothing {nothing}",
        words(policy)
    );
    put(out, &told)?;
    trial.map_or(Ok(()), |trial| trial.write(out))
}

#[cfg(test)]
mod tests;
