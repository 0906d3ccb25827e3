//! The bank's two files, as two different programs wrote them: one in UTF-8 with LF, one with CRLF and with bytes
//! that are not UTF-8. Some lines lack fields.

use std::io::Write;

use super::DemoFacts;
use super::chance::Chance;
use super::customers::Fault;
use super::words::{self, BRANCHES, LATIN1_BRANCHES};

const HEADER: &str = "crm_no,acct,iban,branch,balance,opened";

/// Writes one of the two files: the accounts of the customers with an odd or an even number.
pub(super) fn write(
    out: &mut impl Write,
    customers: &[Fault],
    odd: bool,
    seed: u64,
    facts: &mut DemoFacts,
) -> std::io::Result<()> {
    let mut chance = Chance::new(seed ^ if odd { 0xacc1 } else { 0xacc2 });
    let end: &[u8] = if odd { b"\n" } else { b"\r\n" };
    out.write_all(HEADER.as_bytes())?;
    out.write_all(end)?;
    for (index, fault) in customers.iter().enumerate() {
        let id = index as u64 + 1;
        let has_account = !matches!(fault, Fault::Test | Fault::ClosedLongAgo) && chance.below(10) < 6;
        if !has_account || (id % 2 == 1) != odd {
            continue;
        }
        let flaw = id.wrapping_mul(7919).wrapping_add(seed) % 500;
        if flaw == 250 {
            facts.short_lines += 1;
            write!(out, "{id},A{id:07}")?;
        } else {
            let latin1 = !odd && (251..254).contains(&flaw);
            facts.latin1_branches += u64::from(latin1);
            let branch = if latin1 { LATIN1_BRANCHES } else { BRANCHES };
            write!(out, "{id},A{id:07},{},", iban(&mut chance))?;
            write_branch(out, chance.pick(branch), latin1)?;
            write!(out, ",{},{}", balance(&mut chance), opened(&mut chance))?;
        }
        out.write_all(end)?;
        facts.accounts += 1;
    }
    Ok(())
}

fn write_branch(out: &mut impl Write, branch: &str, latin1: bool) -> std::io::Result<()> {
    if branch.contains(',') {
        write!(out, "\"{branch}\"")
    } else if latin1 {
        out.write_all(&words::latin1(branch))
    } else {
        out.write_all(branch.as_bytes())
    }
}

/// Euros as Spanish programs write them, or as English ones do.
fn balance(chance: &mut Chance) -> String {
    let (thousands, units, cents) = (chance.below(20), chance.below(1000), chance.below(100));
    match (thousands, chance.below(3)) {
        (0, 0) => format!("\"{units},{cents:02}\""),
        (0, _) => format!("{units}.{cents:02}"),
        (_, 0) => format!("\"{thousands}.{units:03},{cents:02}\""),
        (_, 1) => format!("\"{thousands},{units:03}.{cents:02}\""),
        _ => format!("{thousands}{units:03}.{cents:02}"),
    }
}

fn opened(chance: &mut Chance) -> String {
    format!("{}-{:02}-{:02}", chance.between(2012, 2023), chance.between(1, 12), chance.between(1, 28))
}

/// A Spanish account number with its check digits; the bank code belongs to no bank.
fn iban(chance: &mut Chance) -> String {
    let body = format!("9999{:08}{:08}", chance.below(100_000_000), chance.below(100_000_000));
    // "ES00" moved to the end, letters as numbers: E = 14, S = 28.
    let rest =
        body.bytes().chain(*b"142800").fold(0_u32, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("ES{:02}{body}", 98 - rest)
}
