//! Makes small YAML texts, the same ones on every run.

/// A tiny generator of numbers: splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Scalars of every kind, good and bad.
const SCALARS: &[&str] = &[
    "a",
    "b c",
    "y",
    "No",
    "on",
    "TRUE",
    "tRue",
    "~",
    "null",
    "",
    "0",
    "-0",
    "+1",
    "0644",
    "08",
    "0o17",
    "0x1F",
    "0b101",
    "0b-11",
    "-0b1",
    "1_000",
    "1__0_",
    "_1",
    "1:30",
    "1e3",
    "1.0",
    "5.",
    ".5",
    "-.5",
    "+.5e1",
    "1e21",
    "1E-9",
    "1e400",
    ".inf",
    "-.INF",
    ".nan",
    "0.1",
    "1.10",
    "12345678901234567890",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "2001-1-1 1:2:3",
    "'5'",
    "'it''s'",
    "\"a\\tb\"",
    "\"\\x41\\u00e4\"",
    "\"\\'\"",
    "\"\\/\"",
    "\"\\ud800\"",
    "\"a\\\n  b\"",
    "'a\n\n  b'",
    "!!str 1",
    "!!int '5'",
    "!!int x",
    "!!float 1",
    "!!float x",
    "!!bool yes",
    "!!null ''",
    "!!null x",
    "!!binary aGk=",
    "!!binary '!'",
    "!!binary /w==",
    "!!timestamp 2001-01-01",
    "!!timestamp x",
    "!!timestamp 2001-02-30",
    "!foo 5",
    "!foo!bar 5",
    "!<tag:x> 1",
    "! 5",
    "!!set 1",
    "!!merge <<",
    "<<",
    "=",
    "*a",
    "*b",
    "&a 1",
    "&b x",
    "&a",
    "&c [1]",
    "%x",
    "@x",
    "`x",
    "|",
    "|-\n  x",
    ">+\n  x\n\n",
    "|2\n   x",
    ">\n x\n  y\n z\n",
    "- x",
    "-",
    "-x",
    "? x",
    "?x",
    ": x",
    ":x",
    "a: b",
    "a:b",
    "a #b",
    "a#b",
    "#b",
    "\ta",
    "a\t",
    "<>&\u{2028}",
    "\u{e4}\u{1F600}",
    "\u{feff}a",
    "a\u{85}b",
    "{a: 1}",
    "[a, b]",
    "[]",
    "{}",
    "{a}",
    "[a: b]",
    "[? a]",
    "[? a : b, c]",
    "{? a, b: }",
    "{a:b}",
    "[a,,b]",
    "[a",
    "{a: 1",
    "]",
    "}",
    "{[a]: 1}",
    "{{x}}",
    "[*a, *a]",
    "{<<: *a}",
    "{<<: [*a, {x: 1}]}",
    "{<<: 1}",
    "[!x, b]",
    "[!!str a,b]",
    "1.2.3",
    "100m",
    "0x",
    "+",
    "--",
    "---",
    "... x",
    "a\n b",
    "\"x\ny\"",
    "\"x\n---\ny\"",
    "[a\n,b]",
    "[a\n]",
    "{a: [b, {c: d}]}",
];

/// Scalars that may stand nearly everywhere.
const PLAIN: &[&str] = &[
    "a",
    "b c",
    "y",
    "No",
    "on",
    "tRue",
    "~",
    "",
    "-0",
    "+1",
    "0644",
    "08",
    "0o17",
    "0x1F",
    "0b-11",
    "1_000",
    "1:30",
    "1e3",
    "1.0",
    "5.",
    ".5",
    "1e21",
    "1E-9",
    "1e400",
    "12345678901234567890",
    "2001-01-01",
    "'it''s'",
    "\"a\\tb\"",
    "\"\\x41\\u00e4\"",
    "\"\\'\"",
    "\"a\\\n      b\"",
    "'a\n\n      b'",
    "!!str 1",
    "!!int '5'",
    "!!float 1",
    "!!binary aGk=",
    "!!timestamp 2001-01-01",
    "!foo 5",
    "!<tag:x> 1",
    "! 5",
    "&b x",
    "a:b",
    "a#b",
    "a\t",
    "<>&",
    "-x",
    "?x",
    ":x",
    "a\n         b\n\n         c",
    "|\n          x\n           y\n\n          z",
    ">-\n          x\n          y\n\n          z",
    "|+\n          x\n\n",
    ">2\n            x\n              y",
    "&d",
    "!!str",
    "!!null",
];

/// Collections and blanks.
const COLLECTIONS: &[&str] = &[
    "{a: 1}",
    "[a, b]",
    "[]",
    "{}",
    "{a}",
    "[a: b]",
    "[? a : b, c]",
    "{a:b}",
    "[a\n        ,b]",
    "{a: [b, {c: d}]}",
    "{? a, b: }",
    "[!!str a, &e x]",
    "{\"a\": 'b', c: ,}",
    "[a b, c-d, e?f]",
    "{a: [x: y, {z: }], b: [[]]}",
    "a",
];

/// Keys that may be refused.
const ODD_KEYS: &[&str] = &[
    "~",
    "[a]",
    "{a: 1}",
    "12345678901234567890",
    "*a",
    "&a k",
    "? k",
    "<<",
    "!!int x",
];

const KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "kind",
    "metadata",
    "x y",
    "1",
    "'1'",
    "yes",
    "1.5",
    "1e3",
    "\"q\"",
    "!!str k",
    ".inf",
    "0x10",
    "2001-01-01",
    "&f f",
    "'it''s'",
    "a.b/c",
    "-x",
    "~x",
];

/// Manifests as people write them.
pub(crate) const MANIFESTS: &[&str] = &[
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web # name\n  labels: {app: web, tier: \"1\"}\nspec:\n  containers:\n  - name: c\n    image: nginx:1.25\n    args: [\"-a\", '-b', --c=d]\n    env:\n    - name: A\n      value: |-\n        x\n          y\n\n        z\n    - {name: B, value: >\n        folded\n        text}\n    securityContext:\n      runAsUser: 0644\n      privileged: yes\n",
    "# comment\n---\n# another\nx-base: &base\n  a: 1\n  b: [1, 2]\nderived:\n  <<: *base\n  b: 2\n---\nkind: List\nitems:\n- &i {kind: A}\n- *i\n---\n",
    "kind: ConfigMap\ndata:\n  script.sh: |\n    #!/bin/sh\n    ---\n    echo \"hi\" # no comment\n  empty:\n  quoted: \"a \\\n    b\\n\\x41\"\n  'single': 'it''s\n\n    two'\n  ? complex\n  : value\n",
    "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"n\": [1, 2.0, 1e3, -0, 12345678901234567890], \"s\": \"\\u0041\\ud83d\\ude00\\ud800x\"}\n{\"a\": null, \"a\": true}\n",
    "%YAML 1.1\n%TAG !e! tag:e,2000:\n---\na: !e!x 1\nb: !<y> 2\n...\nignored: [\n",
    "a:\r\n  - b\r\n  - c:\r\n      d\r\n---\r\ne: \"f\r\n\r\n  g\"\r\n",
];

/// Texts: made ones, and manifests with a few bytes changed.
pub(crate) fn texts(count: usize) -> Vec<String> {
    let mut random = Random(1);
    let mut texts = Vec::with_capacity(count);
    for scalar in SCALARS {
        texts.push(format!("k: {scalar}\n"));
        texts.push(format!("- {scalar}\n"));
        texts.push(format!("k: [{scalar}]\n"));
        texts.push(format!("k: {{a: {scalar}, b: 1}}\n"));
        texts.push(format!("a: &a {{x: 1}}\nb: {scalar}\nc: 1\n"));
        texts.push(format!("{scalar}: 1\n"));
        texts.push(format!("{{{scalar}: 1}}\n"));
        texts.push(format!("? {scalar}\n: {scalar}\n"));
    }
    while texts.len() < count {
        texts.push(match random.below(4) {
            0 => {
                let manifest = *random.pick(MANIFESTS);
                mutate(&mut random, manifest)
            }
            1 => {
                let made = made(&mut random);
                mutate(&mut random, &made)
            }
            _ => made(&mut random),
        });
    }
    texts
}

fn made(random: &mut Random) -> String {
    let mut text = String::new();
    let merges = random.below(3) == 0;
    if merges {
        text.push_str("z: &a {m: 1, n: 2}\ny1: &b [1]\n");
    }
    for _ in 0..=random.below(3) {
        block(random, 0, &mut text);
        if merges {
            text.push_str(random.pick::<&str>(&[
                "w: *b\n",
                "<<: *a\n",
                "v: {<<: *a, m: 3}\n",
                "u: {m: 3, <<: [*a, {n: 1}]}\n",
                "t: [*a, *b, *a]\n",
                "a: &a {<<: *a, k: 1}\nb: *a\n",
            ]));
        }
        if random.below(8) == 0 {
            text.push_str(random.pick::<&str>(&[
                "---\n",
                "--- # x\n",
                "...\n",
                "--- x\n",
                "---\n---\n",
            ]));
        }
    }
    text
}

/// Adds a mapping or a sequence at an indentation.
fn block(random: &mut Random, indent: usize, text: &mut String) {
    let is_mapping = indent == 0 || random.below(2) == 0;
    for _ in 0..=random.below(3) {
        let off = usize::from(random.below(80) == 0);
        text.push_str(&" ".repeat(indent + off));
        if is_mapping {
            let odd = random.below(60) == 0;
            text.push_str(random.pick::<&str>(if odd { ODD_KEYS } else { KEYS }));
            text.push(':');
        } else {
            text.push('-');
        }
        match random.below(6) {
            0 if indent < 8 => {
                text.push('\n');
                let deeper = indent + random.below(3);
                block(random, deeper, text);
            }
            1 if indent < 8 && !is_mapping => {
                text.push(' ');
                let mut inner = String::new();
                block(random, indent + 2, &mut inner);
                text.push_str(inner.trim_start_matches(' '));
            }
            2 => {
                let scalar = random
                    .pick::<&str>(SCALARS)
                    .replace('\n', &format!("\n{}", " ".repeat(indent)));
                text.push(' ');
                text.push_str(&scalar);
                text.push_str(random.pick::<&str>(&[" # c\n", "\n\n", "\r\n", "\n# c\n", "\t\n"]));
            }
            _ => {
                text.push(' ');
                text.push_str(scalar(random));
                text.push('\n');
            }
        }
    }
}

/// A scalar, now and then one that may be refused where it stands.
fn scalar(random: &mut Random) -> &'static str {
    let from = match random.below(20) {
        0 => SCALARS,
        1..12 => PLAIN,
        _ => COLLECTIONS,
    };
    from[random.below(from.len())]
}

/// Changes a few characters.
pub(crate) fn mutate(random: &mut Random, text: &str) -> String {
    const BITS: &[&str] = &[
        " ", "  ", "\n", "\t", ":", ": ", "- ", "#", "\"", "'", "[", "]", "{", "}", ",", "&a ",
        "*a", "!", "!!int ", "|", ">", "?", "? ", "---\n", "...\n", "%", "\\", "\r", "\r\n",
        "<<: ", "0", "a", "\u{e4}", "\u{2028}", "~", "@", "\u{1}", ".", "-", "=", "`",
    ];
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        let at = random.below(chars.len() + 1);
        match random.below(3) {
            0 if at < chars.len() => {
                chars.remove(at);
            }
            1 if at < chars.len() => {
                let end = (at + 1 + random.below(12)).min(chars.len());
                chars.drain(at..end);
            }
            _ => {
                let bit = random.pick::<&str>(BITS);
                chars.splice(at..at, bit.chars());
            }
        }
    }
    chars.into_iter().collect()
}
