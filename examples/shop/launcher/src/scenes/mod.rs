//! What happens to the shop. Each scene has a customer and an article of its own.

mod deliveries;
mod killed;
mod plain;
mod rush;
mod scene;

use crate::Failure;
use crate::databases::Article;
use crate::shop::Shop;

use scene::Scene;

/// How many scenes there are.
pub(crate) const COUNT: u8 = 9;

/// Who wants what in a scene.
#[derive(Clone, Copy, Debug)]
struct Cast {
    title: &'static str,
    story: &'static str,
    user: &'static str,
    money: i64,
    article: Article,
    /// How many pieces are ordered.
    count: u32,
}

const fn cast(
    [title, story]: [&'static str; 2],
    (user, money): (&'static str, i64),
    (sku, stocked): (&'static str, i64),
    count: u32,
) -> Cast {
    Cast {
        title,
        story,
        user,
        money,
        article: Article { sku, stocked },
        count,
    }
}

/// The scenes that have one customer.
const CASTS: [Cast; COUNT as usize - 1] = [
    cast(
        [
            "an order that commits",
            "Order, pieces and money are decided together.",
        ],
        ("ann", 100),
        ("lamp", 10),
        2,
    ),
    cast(
        [
            "no money",
            "The account refuses; the pieces that storage already holds come back.",
        ],
        ("bob", 5),
        ("chair", 10),
        1,
    ),
    cast(
        [
            "no stock",
            "Storage refuses; the account is not even asked.",
        ],
        ("cleo", 100),
        ("vase", 1),
        2,
    ),
    cast(
        [
            "the account is killed between the phases",
            "It holds the money when it dies. The order commits all the same; the account\n  confirms when it is back.",
        ],
        ("dora", 100),
        ("desk", 10),
        2,
    ),
    cast(
        [
            "the coordinator is killed after the decision",
            "Account and storage are dead when the order commits, so nothing is carried out yet\n  when the coordinator dies too. The decision survives them all.",
        ],
        ("emil", 100),
        ("bed", 10),
        2,
    ),
    cast(
        [
            "the coordinator is killed before the decision",
            "What was not decided when it died is rolled back: everywhere.",
        ],
        ("fred", 100),
        ("sofa", 10),
        2,
    ),
    cast(
        [
            "the same call delivered twice",
            "The network loses the account's answer and repeats the request: one branch, one effect.",
        ],
        ("gina", 100),
        ("rug", 10),
        2,
    ),
    cast(
        [
            "a late try",
            "The network says it could not deliver the debit, and delivers it after the rollback.",
        ],
        ("hugo", 100),
        ("clock", 10),
        2,
    ),
];

/// Plays one scene, and tells whether it came out right.
pub(crate) async fn play(number: u8, shop: &mut Shop) -> Result<bool, Failure> {
    if number == COUNT {
        return rush::play(number, shop).await;
    }
    let cast = CASTS[usize::from(number) - 1];
    let scene = Scene::open(number, cast, shop).await?;
    match number {
        1 => plain::commits(scene).await,
        2 | 3 => plain::refused(scene).await,
        4 => killed::account_between_the_phases(scene).await,
        5 => killed::coordinator_after_the_decision(scene).await,
        6 => killed::coordinator_before_the_decision(scene).await,
        7 => deliveries::twice(scene).await,
        _ => deliveries::late(scene).await,
    }
}

/// What the shop has in stock when it opens.
pub(crate) fn articles() -> Vec<Article> {
    CASTS
        .iter()
        .map(|cast| cast.article)
        .chain([rush::TICKET])
        .collect()
}

/// The customers, and what they have.
pub(crate) fn customers() -> Vec<(String, i64)> {
    let alone = CASTS.iter().map(|cast| (cast.user.to_owned(), cast.money));
    alone.chain(rush::buyers()).collect()
}

/// What they have together.
pub(crate) fn money() -> i64 {
    customers().iter().map(|(_, money)| money).sum()
}
