//! The arithmetic of a deployment's strategy.
//!
//! Upstream: `pkg/controller/deployment/util/deployment_util.go` and
//! `k8s.io/apimachinery/pkg/util/intstr`.

use std::cmp::Reverse;

use podgate_admission::value::Value;

use super::sync::replicas;

/// How many replicas there may be, and how many have to be there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strategy {
    /// Whether the strategy is `RollingUpdate`.
    pub(super) rolling: bool,
    /// The replicas that the deployment wants.
    pub(super) wanted: i64,
    /// How many there may be beyond that.
    pub(super) surge: i64,
    /// How many of them may be missing.
    pub(super) unavailable: i64,
}

impl Strategy {
    /// The strategy of a stored deployment (`MaxSurge`, `MaxUnavailable`, `ResolveFenceposts`).
    pub(super) fn of(deployment: &Value<'_>) -> Self {
        let wanted = replicas(deployment);
        let rolling = deployment.text_at(&["spec", "strategy", "type"]) != "Recreate";
        let of = |key, up| {
            let value = deployment.at(&["spec", "strategy", "rollingUpdate", key]);
            scaled(value, wanted, up)
        };
        let (surge, mut unavailable) = if rolling {
            (of("maxSurge", true), of("maxUnavailable", false))
        } else {
            (0, 0)
        };
        // Rounding may have left no way to go on.
        if rolling && surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        Self {
            rolling,
            wanted,
            surge,
            unavailable: unavailable.min(wanted),
        }
    }

    /// The replicas of the new replica set that has `now`, where all sets together have `all`
    /// (`NewRSNewReplicas`).
    pub(super) fn new_replicas(&self, all: i64, now: i64) -> i64 {
        if !self.rolling {
            return self.wanted;
        }
        let room = (self.wanted + self.surge - all).max(0);
        now + room.min(self.wanted - now)
    }
}

/// `GetScaledValueFromIntOrPercent`: a number, or a share of `of` that is rounded up or down.
fn scaled(value: Option<&Value<'_>>, of: i64, up: bool) -> i64 {
    match value {
        Some(Value::Int(number)) => *number,
        Some(Value::String(text)) => {
            let percent: i64 = text
                .strip_suffix('%')
                .and_then(|number| number.parse().ok())
                .unwrap_or_default();
            (percent * of + if up { 99 } else { 0 }) / 100
        }
        _ => 0,
    }
}

/// The size of an active replica set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) replicas: i64,
    /// The most replicas that the deployment could have when the set was last scaled.
    pub(super) most: i64,
}

/// The new sizes of several active replica sets, oldest first, each with its index: what is to be
/// added or taken away is spread by their sizes (`scale`, `GetReplicaSetProportion`).
pub(super) fn proportional(sets: &[Size], strategy: &Strategy) -> Vec<(usize, i64)> {
    let all: i64 = sets.iter().map(|set| set.replicas).sum();
    let most = if strategy.wanted > 0 {
        strategy.wanted + strategy.surge
    } else {
        0
    };
    let to_add = most - all;
    let mut order: Vec<usize> = (0..sets.len()).collect();
    // The largest first; of the same size the newer one to grow, the older one to shrink.
    if to_add > 0 {
        order.sort_by_key(|&at| Reverse((sets[at].replicas, at)));
    } else if to_add < 0 {
        order.sort_by_key(|&at| (Reverse(sets[at].replicas), at));
    }
    let mut added = 0;
    let mut sizes: Vec<(usize, i64)> = Vec::with_capacity(sets.len());
    for at in order {
        let set = sets[at];
        let left = to_add - added;
        let share = if strategy.wanted == 0 {
            -set.replicas
        } else if set.most == 0 {
            0
        } else {
            // Rounded half up, as both are positive.
            (2 * set.replicas * most + set.most) / (2 * set.most) - set.replicas
        };
        let share = match to_add {
            1.. => share.min(left),
            0 => 0,
            _ => share.max(left),
        };
        added += share;
        sizes.push((at, set.replicas + share));
    }
    if let Some((_, first)) = sizes.first_mut() {
        *first = (*first + to_add - added).max(0);
    }
    sizes
}

#[cfg(test)]
mod tests {
    use podgate_admission::decode::decode_untyped;
    use rstest::rstest;

    use super::*;

    fn strategy(spec: &str) -> Strategy {
        let json = format!(r#"{{"spec":{spec}}}"#);
        Strategy::of(&decode_untyped(json.as_bytes()).expect("JSON"))
    }

    // The percentages are the defaults.
    #[rstest]
    #[case(r#"{"replicas":2,"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}}}"#, (1, 0))]
    #[case(r#"{"replicas":10,"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}}}"#, (3, 2))]
    #[case(r#"{"replicas":3,"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":"10%"}}}"#, (0, 1))]
    #[case(r#"{"replicas":2,"strategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":5}}}"#, (1, 2))]
    #[case(r#"{"replicas":2,"strategy":{"type":"Recreate"}}"#, (0, 0))]
    fn fenceposts(#[case] spec: &str, #[case] expected: (i64, i64)) {
        let strategy = strategy(spec);
        assert_eq!((strategy.surge, strategy.unavailable), expected);
    }

    // The cases of upstream's documentation on proportional scaling: ten replicas, scaled to fifteen
    // in the middle of a rollout with a surge of three and two missing.
    #[test]
    fn scaling_is_spread_by_size() {
        let strategy = Strategy {
            rolling: true,
            wanted: 15,
            surge: 3,
            unavailable: 2,
        };
        let size = |replicas| Size { replicas, most: 13 };
        let sizes = proportional(&[size(8), size(5)], &strategy);
        assert_eq!(sizes, [(0, 11), (1, 7)]);
    }
}
