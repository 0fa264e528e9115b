//! Addresses that are not in their standard form (`GetWarningsForIP` in
//! `k8s.io/apimachinery/pkg/util/validation/ip.go`).

use std::net::{IpAddr, Ipv4Addr};

use super::Warnings;
use crate::quote::quote;
use crate::value::Value;

pub(super) fn forms(out: &mut Warnings, spec: &Value<'_>, at: &str) {
    let servers = spec.list_at(&["dnsConfig", "nameservers"]);
    for (index, server) in servers.iter().enumerate() {
        let path = format!("{at}spec.dnsConfig.nameservers[{index}]");
        form(out, server.as_str().unwrap_or_default(), &path);
    }
    for (index, alias) in spec.list_at(&["hostAliases"]).iter().enumerate() {
        let path = format!("{at}spec.hostAliases[{index}].ip");
        form(out, alias.text_at(&["ip"]), &path);
    }
}

fn form(out: &mut Warnings, value: &str, path: &str) {
    let quoted = quote(value);
    let standard = match value.parse() {
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None if address.to_string() == value => return,
            None => {
                out.add(format!(
                    "{path}: IPv6 address {quoted} should be in RFC 5952 canonical format (\"{address}\")"
                ));
                return;
            }
        },
        Ok(IpAddr::V4(_)) => return,
        Err(_) => match leading_zeros(value) {
            Some(address) => address.to_string(),
            None => return,
        },
    };
    out.add(format!(
        "{path}: non-standard IP address {quoted} is invalid: use \"{standard}\""
    ));
}

/// Go's old parser reads `010.0.0.1` as decimal numbers (`ParseIPSloppy`).
fn leading_zeros(value: &str) -> Option<Ipv4Addr> {
    let mut bytes = [0; 4];
    let mut parts = value.split('.');
    for byte in &mut bytes {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *byte = part
            .trim_start_matches('0')
            .parse()
            .or_else(|_| {
                if part.bytes().all(|b| b == b'0') {
                    Ok(0)
                } else {
                    Err(())
                }
            })
            .ok()?;
    }
    parts.next().is_none().then(|| bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use podgate_policy::Minor;
    use rstest::rstest;

    #[rstest]
    #[case("10.0.0.1", None)]
    #[case("::1", None)]
    #[case(
        "010.0.0.1",
        Some(r#"p: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1""#)
    )]
    #[case(
        "::ffff:1.2.3.4",
        Some(r#"p: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4""#)
    )]
    #[case("2001:DB8::1", Some(r#"p: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")"#))]
    #[case("no address", None)]
    fn told(#[case] value: &str, #[case] expected: Option<&str>) {
        let mut out = Warnings {
            minor: Minor::NEWEST,
            texts: Vec::new(),
        };
        form(&mut out, value, "p");
        assert_eq!(out.texts.first().map(String::as_str), expected);
    }
}
