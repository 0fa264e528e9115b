//! Names and addresses of a pod: its host name, its resolver, its aliases.
//!
//! Upstream: `validateDNSPolicy`, `validatePodDNSConfig`, `ValidateHostAliases` and
//! `validatePodHostName` in `pkg/apis/core/validation/validation.go`; addresses in
//! `apimachinery/pkg/util/validation/ip.go`.

use std::net::Ipv6Addr;

use crate::value::Value;

use super::field::Path;
use super::tree::{field, flag, items, text, text_opt, texts};
use super::{Validator, go, metadata, names, versions};

/// `validateDNSPolicy`
pub(crate) fn policy(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const POLICIES: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    let path = path.child("dnsPolicy");
    match text(spec, "dnsPolicy") {
        "" => v.errors.required(&path, ""),
        policy if POLICIES.contains(&policy) => {}
        policy => v.errors.not_supported(&path, policy, &POLICIES),
    }
}

/// `validatePodDNSConfig`
pub(crate) fn config(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const MAX_SERVERS: usize = 3;
    let path = path.child("dnsConfig");
    let config = field(spec, "dnsConfig");
    if text(spec, "dnsPolicy") == "None" {
        let Some(config) = config else {
            v.errors
                .required(&path, "must provide `dnsConfig` when `dnsPolicy` is None");
            return;
        };
        if items(config, "nameservers").is_empty() {
            v.errors.required(
                &path.child("nameservers"),
                "must provide at least one DNS nameserver when `dnsPolicy` is None",
            );
            return;
        }
    }
    let Some(config) = config else { return };
    let servers = path.child("nameservers");
    if items(config, "nameservers").len() > MAX_SERVERS {
        let value = go::print_texts(field(config, "nameservers"), v.minor);
        v.errors.invalid(
            &servers,
            value,
            format!("must not have more than {MAX_SERVERS} nameservers"),
        );
    }
    for (i, server) in texts(config, "nameservers").enumerate() {
        spec_address(v, server, &servers.index(i));
    }
    searches(v, config, &path.child("searches"));
    let options = path.child("options");
    for (i, option) in items(config, "options").iter().enumerate() {
        if text(option, "name").is_empty() {
            v.errors.required(&options.index(i), "must not be empty");
        }
    }
}

fn searches(v: &mut Validator, config: &Value<'_>, path: &Path<'_>) {
    let (max, max_chars) = if v.since(versions::DNS_SEARCH_EXPANDED) {
        (32, 2048)
    } else {
        (6, 256)
    };
    let count = items(config, "searches").len();
    if count > max {
        let value = go::print_texts(field(config, "searches"), v.minor);
        v.errors.invalid(
            path,
            value,
            format!("must not have more than {max} search paths"),
        );
    }
    let chars = texts(config, "searches").map(str::len).sum::<usize>() + count.saturating_sub(1);
    if chars > max_chars {
        let value = go::print_texts(field(config, "searches"), v.minor);
        v.errors.invalid(
            path,
            value,
            format!(
                "must not have more than {max_chars} characters (including spaces) in the search \
                 list"
            ),
        );
    }
    for (i, search) in texts(config, "searches").enumerate() {
        let bare = search.strip_suffix('.').unwrap_or(search);
        let wrong = if !v.since(versions::RELAXED_DNS_SEARCH) {
            names::dns_subdomain(bare)
        } else if search == "." {
            continue;
        } else {
            names::dns_subdomain_with_underscore(bare, v.minor)
        };
        v.errors.invalid_each(&path.index(i), bare, wrong);
    }
}

/// An address in a spec, where the text was a shorter one up to 1.29.
fn spec_address(v: &mut Validator, ip: &str, path: &Path<'_>) {
    if v.since(versions::IP_TEXT) || Address::parse(ip) != Address::None {
        address(v, ip, path);
    } else {
        v.errors.invalid(path, ip, "must be valid IP address");
    }
}

/// `IsValidIPForLegacyField`, and what came before it.
pub(crate) fn address(v: &mut Validator, address: &str, path: &Path<'_>) {
    match Address::parse(address) {
        Address::None => v.errors.invalid(
            path,
            address,
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
        Address::LeadingZeros if v.since(versions::STRICT_IPS) => {
            v.errors.invalid(path, address, "must not have leading 0s");
        }
        Address::Mapped if v.since(versions::STRICT_IPS) => {
            v.errors
                .invalid(path, address, "must not be an IPv4-mapped IPv6 address");
        }
        _ => {}
    }
}

/// What an address is to Go's old parser, which took leading zeros for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    None,
    Plain,
    LeadingZeros,
    Mapped,
}

impl Address {
    fn parse(text: &str) -> Self {
        if text.contains(':') {
            return match text.parse::<Ipv6Addr>() {
                Ok(ip) if ip.to_ipv4_mapped().is_some() => Self::Mapped,
                Ok(_) => Self::Plain,
                Err(_) => Self::None,
            };
        }
        let mut parts = 0;
        let mut zeros = false;
        for part in text.split('.') {
            parts += 1;
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let significant = part.trim_start_matches('0');
            if !digits || significant.len() > 3 || significant.parse::<u16>().unwrap_or(0) > 255 {
                return Self::None;
            }
            zeros |= part.len() > 1 && part.starts_with('0');
        }
        match (parts, zeros) {
            (4, false) => Self::Plain,
            (4, true) => Self::LeadingZeros,
            _ => Self::None,
        }
    }
}

/// `ValidateHostAliases`
pub(crate) fn host_aliases(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let path = path.child("hostAliases");
    for (i, alias) in items(spec, "hostAliases").iter().enumerate() {
        let indexed = path.index(i);
        // Before 1.30 the paths lack the indexes.
        let with_indexes = v.since(versions::IP_TEXT);
        let path = if with_indexes { &indexed } else { &path };
        spec_address(v, text(alias, "ip"), &path.child("ip"));
        let names_path = path.child("hostnames");
        for (i, name) in texts(alias, "hostnames").enumerate() {
            let wrong = names::dns_subdomain(name);
            let indexed = names_path.index(i);
            let path = if with_indexes { &indexed } else { &names_path };
            v.errors.invalid_each(path, name, wrong);
        }
    }
}

/// `validatePodHostName`
pub(crate) fn host_name_override(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const MAX: usize = 64;
    let Some(name) = text_opt(spec, "hostnameOverride") else {
        return;
    };
    let path = path.child("hostnameOverride");
    for field in ["setHostnameAsFQDN", "hostNetwork"] {
        if flag(spec, field) {
            v.errors
                .forbidden(&path, format!("may not be specified when {field} is true"));
        }
    }
    if name.len() > MAX {
        let detail = metadata::too_long(v, MAX);
        v.errors.too_long(&path, detail);
    }
    v.errors
        .invalid_each(&path, name, names::dns_subdomain(name));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("10.0.0.1", Address::Plain)]
    #[case("010.0.0.1", Address::LeadingZeros)]
    #[case("256.0.0.1", Address::None)]
    #[case("1.2.3", Address::None)]
    #[case("", Address::None)]
    #[case("2001:db8::1", Address::Plain)]
    #[case("::ffff:1.2.3.4", Address::Mapped)]
    #[case("fe80::1%eth0", Address::None)]
    fn reads_addresses(#[case] text: &str, #[case] address: Address) {
        assert_eq!(Address::parse(text), address);
    }
}
