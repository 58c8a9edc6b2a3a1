//! The ports of the parts.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result, bail};

/// The default port of the page.
pub const WEB: u16 = 8787;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub web: u16,
    pub supabase: u16,
    pub postgres: u16,
    pub spotify: u16,
    pub llm: u16,
    pub stripe: u16,
}

/// How the ports are chosen.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// [`WEB`] for the page, free ones for the rest.
    Usual,
    /// Free ports for all.
    Free,
    /// This port and those that follow it.
    From(u16),
}

/// # Errors
/// If a required port is in use.
pub fn assign(choice: Choice) -> Result<Ports> {
    // All are held until the last is chosen: otherwise the system could return the same port twice.
    let mut held = Vec::new();
    let mut take = |offset: u16| -> Result<u16> {
        let wanted = match choice {
            Choice::From(first) => first
                .checked_add(offset)
                .context("--ports-from is too high")?,
            Choice::Usual if offset == 0 => WEB,
            Choice::Usual | Choice::Free => 0,
        };
        let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)) else {
            bail!(
                "port {wanted} is in use: end what listens there, or choose others with --ports-from N"
            );
        };
        let port = listener.local_addr()?.port();
        held.push(listener);
        Ok(port)
    };
    let [web, supabase, postgres] = [take(0)?, take(1)?, take(2)?];
    let [spotify, llm, stripe] = [take(3)?, take(4)?, take(5)?];
    Ok(Ports {
        web,
        supabase,
        postgres,
        spotify,
        llm,
        stripe,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ() {
        let ports = assign(Choice::Free).unwrap();
        let Ports {
            web,
            supabase,
            postgres,
            spotify,
            llm,
            stripe,
        } = ports;
        let mut all = vec![web, supabase, postgres, spotify, llm, stripe];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
        assert!(!all.contains(&0));
    }

    #[test]
    fn a_port_in_use_is_named_with_the_remedy() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = assign(Choice::From(port)).unwrap_err().to_string();
        assert!(error.contains(&format!("port {port} is in use")), "{error}");
        assert!(error.contains("--ports-from"), "{error}");
    }

    #[test]
    fn refuses_ports_above_65535() {
        assert!(assign(Choice::From(65_532)).is_err());
    }
}
