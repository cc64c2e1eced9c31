//! The goals, as ratios within a round. "Must" is what a release has to hold, "aim" what the limits allow.

use crate::operations as op;
use crate::rounds::{Results, Round, Spread};
use crate::{peer, startup};
use serde::Serialize;

/// Megabytes (of 1,024² bytes), milliseconds, or neither.
#[derive(Clone, Copy)]
pub(crate) struct Goal {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) against: &'static str,
    unit: &'static str,
    /// What has to be measured for it.
    pub(crate) needs: &'static [&'static str],
    figure: fn(Round<'_>) -> Option<f64>,
    bound: Bound,
    must: f64,
    aim: f64,
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost,
    AtLeast,
}

/// Which engine is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// How a goal came out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) against: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) clients: u64,
    pub(crate) figure: Spread,
    pub(crate) must: String,
    pub(crate) aim: String,
    pub(crate) met: &'static str,
}

impl Goal {
    fn new(
        id: &'static str,
        what: &'static str,
        against: &'static str,
        needs: &'static [&'static str],
        figure: fn(Round<'_>) -> Option<f64>,
    ) -> Self {
        Self { id, what, against, unit: "", needs, figure, bound: Bound::AtMost, must: 0.0, aim: 0.0 }
    }

    fn at_most(self, must: f64, aim: f64) -> Self {
        Self { bound: Bound::AtMost, must, aim, ..self }
    }

    fn at_least(self, must: f64, aim: f64) -> Self {
        Self { bound: Bound::AtLeast, must, aim, ..self }
    }

    fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    pub(crate) fn judge(&self, results: &Results, clients: u64) -> Option<Verdict> {
        let figure = Spread::of(results.each(clients, self.figure))?;
        let (sign, holds): (_, fn(f64, f64) -> bool) = match self.bound {
            Bound::AtMost => ("≤", |figure, bound| figure <= bound),
            Bound::AtLeast => ("≥", |figure, bound| figure >= bound),
        };
        let met = match (holds(figure.median, self.must), holds(figure.median, self.aim)) {
            (_, true) => "aim met",
            (true, false) => "met",
            (false, false) => "MISSED",
        };
        let bound = |bound: f64| format!("{sign} {bound}");
        let Self { id, what, against, unit, .. } = *self;
        Some(Verdict {
            id,
            what,
            against,
            unit,
            clients,
            figure,
            must: bound(self.must),
            aim: bound(self.aim),
            met,
        })
    }
}

/// All goals for one engine. With a slow disk (more than 2 ms to keep a block), sharing a sync has to pay off more.
pub(crate) fn all(engine: Engine, disk_is_slow: bool) -> Vec<Goal> {
    let mut goals = tokens();
    goals.extend(reads(engine));
    goals.extend(lists());
    goals.extend(writes(engine, disk_is_slow));
    goals.extend(starts());
    goals.extend(peers());
    goals
}

fn tokens() -> Vec<Goal> {
    vec![
        Goal::new("T1", "CPU of a token, form", "bare token", &[op::TOKEN, op::BARE_TOKEN], |round| {
            round.ratio(op::TOKEN, op::BARE_TOKEN)
        })
        .at_most(1.10, 1.03),
        Goal::new("T1", "CPU of a token, JSON", "bare token", &[op::TOKEN_JSON, op::BARE_TOKEN], |round| {
            round.ratio(op::TOKEN_JSON, op::BARE_TOKEN)
        })
        .at_most(1.10, 1.03),
        Goal::new("T2", "CPU of a token", "bare signature", &[op::TOKEN, op::SIGNATURE], |round| {
            round.ratio(op::TOKEN, op::SIGNATURE)
        })
        .at_most(1.20, 1.12),
        Goal::new("T3", "CPU of an HS256 token", "bare GET", &[op::TOKEN_HS256, op::BARE_CLIENT], |round| {
            round.ratio(op::TOKEN_HS256, op::BARE_CLIENT)
        })
        .at_most(5.0, 3.0),
        Goal::new(
            "T4",
            "CPU of a token by private_key_jwt",
            "token by secret",
            &[op::TOKEN_ASSERTION, op::TOKEN],
            |round| round.ratio(op::TOKEN_ASSERTION, op::TOKEN),
        )
        .at_most(1.10, 1.05),
        Goal::new("T5", "CPU of a wrong secret", "bare GET", &[op::WRONG_SECRET, op::BARE_CLIENT], |round| {
            round.ratio(op::WRONG_SECRET, op::BARE_CLIENT)
        })
        .at_most(3.0, 1.7),
        Goal::new(
            "T5",
            "CPU of an unknown client",
            "bare GET",
            &[op::UNKNOWN_CLIENT, op::BARE_CLIENT],
            |round| round.ratio(op::UNKNOWN_CLIENT, op::BARE_CLIENT),
        )
        .at_most(3.0, 1.7),
        Goal::new("M1", "p50 of reads beside 64 that ask for tokens", "", &[op::READ_BESIDE], |round| {
            round.p50(op::READ_BESIDE)
        })
        .at_most(2.0, 0.5)
        .unit("ms"),
        Goal::new("M2", "tokens a second", "bare tokens a second", &[op::TOKEN, op::BARE_TOKEN], |round| {
            Some(round.per_second(op::TOKEN)? / round.per_second(op::BARE_TOKEN)?)
        })
        .at_least(0.90, 0.98),
    ]
}

fn reads(engine: Engine) -> Vec<Goal> {
    let read = |round: Round<'_>| round.ratio(op::READ, op::BARE_CLIENT);
    let read = match engine {
        Engine::Sqlite => {
            Goal::new("R1", "CPU of reading one client", "bare GET", &[op::READ, op::BARE_CLIENT], read)
                .at_most(2.0, 1.5)
        }
        Engine::Postgres => {
            Goal::new("R2", "CPU of reading one client", "bare GET", &[op::READ, op::BARE_CLIENT], read)
                .at_most(4.0, 2.5)
        }
    };
    vec![
        read,
        Goal::new(
            "R3",
            "more CPU with a token never seen, in bare GETs",
            "known token",
            &[op::READ_UNSEEN, op::READ, op::BARE_CLIENT],
            |round| Some((round.cpu(op::READ_UNSEEN)? - round.cpu(op::READ)?) / round.cpu(op::BARE_CLIENT)?),
        )
        .at_most(3.0, 2.0),
        Goal::new("R5", "CPU of discovery", "bare GET", &[op::DISCOVERY, op::BARE_DISCOVERY], |round| {
            round.ratio(op::DISCOVERY, op::BARE_DISCOVERY)
        })
        .at_most(1.15, 1.05),
        Goal::new("R5", "CPU of the JWKS", "bare GET", &[op::JWKS, op::BARE_JWKS], |round| {
            round.ratio(op::JWKS, op::BARE_JWKS)
        })
        .at_most(1.15, 1.05),
    ]
}

fn lists() -> Vec<Goal> {
    vec![
        Goal::new("L1", "CPU of a page of 50", "bare GET", &[op::LIST, op::BARE_PAGE], |round| {
            round.ratio(op::LIST, op::BARE_PAGE)
        })
        .at_most(4.0, 2.0),
        Goal::new(
            "L2",
            "CPU of the page with `fields`",
            "bare GET of it all",
            &[op::LIST_FIELDS, op::BARE_PAGE],
            |round| round.ratio(op::LIST_FIELDS, op::BARE_PAGE),
        )
        .at_most(12.0, 6.0),
        Goal::new("L3", "CPU with totals", "without", &[op::LIST_TOTALS, op::LIST], |round| {
            round.ratio(op::LIST_TOTALS, op::LIST)
        })
        .at_most(1.25, 1.05),
        Goal::new("L4", "CPU of any page by number", "first page", &[op::LIST_PAGE, op::LIST], |round| {
            round.ratio(op::LIST_PAGE, op::LIST)
        })
        .at_most(2.0, 1.3),
        Goal::new("L4", "CPU of any checkpoint", "first page", &[op::LIST_CHECKPOINT, op::LIST], |round| {
            round.ratio(op::LIST_CHECKPOINT, op::LIST)
        })
        .at_most(2.0, 1.3),
    ]
}

fn writes(engine: Engine, disk_is_slow: bool) -> Vec<Goal> {
    let mut goals = match engine {
        Engine::Sqlite => vec![
            Goal::new(
                "W1",
                "more CPU of a durable create, in bare GETs",
                "raw insert, 16 a transaction",
                &[op::CREATE, op::RAW_INSERT_16, op::BARE_CLIENT],
                |round| {
                    Some(
                        (round.cpu(op::CREATE)? - round.cpu(op::RAW_INSERT_16)?)
                            / round.cpu(op::BARE_CLIENT)?,
                    )
                },
            )
            .at_most(6.0, 4.0),
            Goal::new(
                "W2",
                "durable creates a second",
                "raw inserts, 1 a transaction",
                &[op::CREATE, op::RAW_INSERT],
                |round| Some(round.per_second(op::CREATE)? / round.per_second(op::RAW_INSERT)?),
            )
            .at_least(0.8, if disk_is_slow { 10.0 } else { 1.2 }),
        ],
        Engine::Postgres => vec![
            Goal::new(
                "W3",
                "creates a second, 16 connections",
                "raw inserts, 16 connections",
                &[op::CREATE_16, op::RAW_POSTGRES],
                |round| Some(round.per_second(op::CREATE_16)? / round.per_second(op::RAW_POSTGRES)?),
            )
            .at_least(0.7, 0.85),
        ],
    };
    goals.push(
        Goal::new("W5", "CPU of an update", "create", &[op::UPDATE, op::CREATE], |round| {
            round.ratio(op::UPDATE, op::CREATE)
        })
        .at_most(1.3, 1.0),
    );
    goals
}

fn starts() -> Vec<Goal> {
    vec![
        Goal::new("S1", "start on existing data", "", &[startup::EXISTING], |round| {
            round.p50(startup::EXISTING)
        })
        .at_most(100.0, 30.0)
        .unit("ms"),
        Goal::new("S2", "first start", "", &[startup::EMPTY], |round| round.p50(startup::EMPTY))
            .at_most(1_000.0, 400.0)
            .unit("ms"),
        Goal::new("S3", "memory when idle", "", &[startup::EXISTING], |round| {
            round.megabytes(startup::EXISTING)
        })
        .at_most(25.0, 12.0)
        .unit("MB"),
        Goal::new("S4", "memory after the requests", "", &[startup::AFTER], |round| {
            round.megabytes(startup::AFTER)
        })
        .at_most(120.0, 64.0)
        .unit("MB"),
        Goal::new("S4", "growth in the second half of them", "", &[startup::HALF, startup::AFTER], |round| {
            Some(round.megabytes(startup::AFTER)? - round.megabytes(startup::HALF)?)
        })
        .at_most(1.0, 1.0)
        .unit("MB"),
        Goal::new("S5", "size of the program", "", &[startup::PROGRAM], |round| {
            round.megabytes(startup::PROGRAM)
        })
        .at_most(25.0, 12.0)
        .unit("MB"),
    ]
}

fn peers() -> Vec<Goal> {
    vec![
        Goal::new("T6", "CPU of oidc-provider's token", "ours", &[op::TOKEN, peer::TOKEN], |round| {
            round.ratio(peer::TOKEN, op::TOKEN)
        })
        .at_least(1.35, 1.45),
        Goal::new("R4", "CPU of oidc-provider's read", "ours", &[op::READ, peer::READ], |round| {
            round.ratio(peer::READ, op::READ)
        })
        .at_least(8.0, 12.0),
        Goal::new(
            "W4",
            "CPU of oidc-provider's create",
            "ours, durable",
            &[op::CREATE, peer::CREATE],
            |round| round.ratio(peer::CREATE, op::CREATE),
        )
        .at_least(2.5, 4.0),
    ]
}
