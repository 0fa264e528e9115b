//! Label selectors: `app in (a,b),!canary,tier=web`.
//!
//! Upstream: `k8s.io/apimachinery/pkg/labels/selector.go`, whose error texts these are. The syntax of
//! keys and values is not checked here: a bad one selects nothing.

use podgate_admission::status::Status;
use podgate_admission::value::Value;

/// Requirements that labels must meet, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In(Vec<String>),
    NotIn(Vec<String>),
    GreaterThan(i64),
    LessThan(i64),
}

impl LabelSelector {
    /// Reads a selector; the empty one selects everything.
    pub(crate) fn parse(text: &str) -> Result<Self, Status> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        Parser::new(text)
            .selector()
            .map(|requirements| Self { requirements })
            .map_err(Status::bad_request)
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether the object's labels meet the selector.
    pub(crate) fn selects(&self, object: &Value<'_>) -> bool {
        let labels = object.at(&["metadata", "labels"]);
        self.requirements.iter().all(|requirement| {
            let value = labels
                .and_then(|labels| labels.get(&requirement.key))
                .and_then(Value::as_str);
            let compared = |than: i64, compare: fn(&i64, &i64) -> bool| {
                value
                    .and_then(|v| v.parse().ok())
                    .is_some_and(|v: i64| compare(&v, &than))
            };
            match &requirement.operator {
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
                Operator::In(values) => value.is_some_and(|v| values.iter().any(|w| w == v)),
                Operator::NotIn(values) => value.is_none_or(|v| values.iter().all(|w| w != v)),
                Operator::GreaterThan(than) => compared(*than, i64::gt),
                Operator::LessThan(than) => compared(*than, i64::lt),
            }
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Error,
    End,
    Symbol,
    Word,
}

/// A token, with the text that error messages show.
#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    text: String,
}

impl Token {
    fn is(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    fn is_end_of_requirement(&self) -> bool {
        self.kind == Kind::End || self.is(",")
    }
}

const SYMBOLS: [&str; 9] = ["=", "==", "!=", "!", "(", ")", ",", ">", "<"];
const SPECIAL: &str = "=!(),><";

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn new(text: &str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start_matches([' ', '\t', '\r', '\n']);
        while !rest.is_empty() {
            let (token, length) = token(rest);
            tokens.push(token);
            rest = rest[length..].trim_start_matches([' ', '\t', '\r', '\n']);
        }
        tokens.push(Token {
            kind: Kind::End,
            text: String::new(),
        });
        Self { tokens, at: 0 }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    /// The next token; the last one, the end, stays.
    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn selector(mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            let next = self.peek();
            match next.kind {
                Kind::End => return Ok(requirements),
                Kind::Word => {}
                Kind::Symbol if next.is("!") => {}
                _ => {
                    return Err(format!(
                        "found '{}', expected: !, identifier, or 'end of string'",
                        next.text
                    ));
                }
            }
            let requirement = self
                .requirement()
                .map_err(|error| format!("unable to parse requirement: {error}"))?;
            requirements.push(requirement);
            let behind = self.take();
            if behind.kind == Kind::End {
                return Ok(requirements);
            }
            if !behind.is(",") {
                return Err(format!(
                    "found '{}', expected: ',' or 'end of string'",
                    behind.text
                ));
            }
            let next = self.peek();
            if next.kind != Kind::Word && !next.is("!") {
                return Err(format!(
                    "found '{}', expected: identifier after ','",
                    next.text
                ));
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.take();
        let negated = token.is("!");
        if negated {
            token = self.take();
        }
        if token.kind != Kind::Word {
            return Err(format!("found '{}', expected: identifier", token.text));
        }
        let key = token.text;
        if negated {
            return Ok(Requirement {
                key,
                operator: Operator::DoesNotExist,
            });
        }
        if self.peek().is_end_of_requirement() {
            return Ok(Requirement {
                key,
                operator: Operator::Exists,
            });
        }
        let operator = self.take();
        let operator = match &*operator.text {
            "=" | "==" => Operator::In(vec![self.value()?]),
            "!=" => Operator::NotIn(vec![self.value()?]),
            "in" => Operator::In(self.values()?),
            "notin" => Operator::NotIn(self.values()?),
            ">" => Operator::GreaterThan(self.number()?),
            "<" => Operator::LessThan(self.number()?),
            other => {
                return Err(format!(
                    "found '{other}', expected: in, notin, =, ==, !=, gt, lt"
                ));
            }
        };
        Ok(Requirement { key, operator })
    }

    fn value(&mut self) -> Result<String, String> {
        if self.peek().is_end_of_requirement() {
            return Ok(String::new());
        }
        let token = self.take();
        if token.kind == Kind::Word {
            Ok(token.text)
        } else {
            Err(format!("found '{}', expected: identifier", token.text))
        }
    }

    fn number(&mut self) -> Result<i64, String> {
        let value = self.value()?;
        value.parse().map_err(|_| {
            format!(
                "values[0]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be \
                 an integer"
            )
        })
    }

    /// `(a,b)`; a missing value is the empty one.
    fn values(&mut self) -> Result<Vec<String>, String> {
        let open = self.take();
        if !open.is("(") {
            return Err(format!("found '{}' expected: '('", open.text));
        }
        let mut values = Vec::new();
        loop {
            let token = self.take();
            if token.kind == Kind::Word {
                values.push(token.text);
            } else if token.is(",") || token.is(")") {
                values.push(String::new());
                if token.is(")") {
                    return Ok(values);
                }
                continue;
            } else {
                return Err(format!(
                    "found '{}', expected: ',', or identifier",
                    token.text
                ));
            }
            let behind = self.take();
            if behind.is(")") {
                return Ok(values);
            }
            if !behind.is(",") {
                return Err(format!("found '{}', expected: ',' or ')'", behind.text));
            }
        }
    }
}

/// The token at the start of a text that is not blank there, and its length in bytes.
fn token(text: &str) -> (Token, usize) {
    if !text.starts_with(|c| SPECIAL.contains(c)) {
        let end = text
            .find(|c: char| SPECIAL.contains(c) || c.is_ascii_whitespace())
            .unwrap_or(text.len());
        return (
            Token {
                kind: Kind::Word,
                text: text[..end].to_owned(),
            },
            end,
        );
    }
    // The longest symbol is two bytes.
    for length in [2, 1] {
        if let Some(symbol) = text.get(..length)
            && SYMBOLS.contains(&symbol)
        {
            return (
                Token {
                    kind: Kind::Symbol,
                    text: symbol.to_owned(),
                },
                length,
            );
        }
    }
    (
        Token {
            kind: Kind::Error,
            text: text.to_owned(),
        },
        text.len(),
    )
}

#[cfg(test)]
mod tests {
    use podgate_admission::value::Object;
    use rstest::rstest;

    use super::*;

    fn object() -> Value<'static> {
        let labels = Object::from_iter([("app", "one"), ("n", "5"), ("empty", "")]);
        let metadata = Object::from_iter([("labels", labels)]);
        Value::from(Object::from_iter([("metadata", metadata)]))
    }

    #[rstest]
    #[case("", true)]
    #[case("app", true)]
    #[case("!app", false)]
    #[case("!canary", true)]
    #[case("app=one", true)]
    #[case("app==two", false)]
    #[case(" app != two , n ", true)]
    #[case("app in (one)", true)]
    #[case("app in (two, one)", true)]
    #[case("app notin (one,two)", false)]
    #[case("canary notin (one)", true)]
    #[case("canary in ()", false)]
    #[case("empty in (,x)", true)]
    #[case("empty=", true)]
    #[case("n>4,n<6", true)]
    #[case("n>5", false)]
    #[case("in=x", false)]
    fn selects(#[case] selector: &str, #[case] expected: bool) {
        let selector = LabelSelector::parse(selector).expect("a selector");
        assert_eq!(selector.selects(&object()), expected);
    }

    // The first as recorded on 1.36, the others from source only.
    #[rstest]
    #[case("((", "found '(', expected: !, identifier, or 'end of string'")]
    #[case(
        "a b",
        "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"
    )]
    #[case("a,", "found '', expected: identifier after ','")]
    #[case("a in b", "unable to parse requirement: found 'b' expected: '('")]
    #[case("a=b c", "found 'c', expected: ',' or 'end of string'")]
    #[case(
        "a in (b",
        "unable to parse requirement: found '', expected: ',' or ')'"
    )]
    fn refuses(#[case] selector: &str, #[case] expected: &str) {
        let status = LabelSelector::parse(selector).expect_err("refused");
        assert_eq!((status.code, &*status.message), (400, expected));
    }
}
