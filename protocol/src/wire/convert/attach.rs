use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{at_most, exactly, parsed, present, set, text};
use crate::ids::{ActionName, DatabaseId, Incarnation, LogId, Resource};
use crate::limits;
use crate::message::{Attach, AttachRefused, AttachResource, Attached, Horizon, IncarnationInfo};
use crate::wire::{WireError, v1};

impl From<Incarnation> for v1::Incarnation {
    fn from(incarnation: Incarnation) -> Self {
        Self {
            number: incarnation.number,
            random: incarnation.random,
        }
    }
}

impl From<v1::Incarnation> for Incarnation {
    fn from(incarnation: v1::Incarnation) -> Self {
        Self {
            number: incarnation.number,
            random: incarnation.random,
        }
    }
}

impl From<&Horizon> for v1::Horizon {
    fn from(horizon: &Horizon) -> Self {
        Self {
            counter: horizon.counter,
            listed: horizon.listed.iter().copied().collect(),
        }
    }
}

impl TryFrom<v1::Horizon> for Horizon {
    type Error = WireError;

    fn try_from(horizon: v1::Horizon) -> Result<Self, WireError> {
        at_most("listed", horizon.listed.len(), limits::LISTED_MAX)?;
        let listed: BTreeSet<u64> = horizon.listed.into_iter().collect();
        if listed.last().is_some_and(|last| *last > horizon.counter) {
            return Err(WireError::wrong(
                "listed",
                "it lists what lies above the horizon",
            ));
        }
        Ok(Self {
            counter: horizon.counter,
            listed,
        })
    }
}

type Horizons = BTreeMap<Incarnation, u64>;

/// The horizons of each database all of whose resources present the same ones.
type Shared = BTreeMap<DatabaseId, Arc<Horizons>>;

fn shared(resources: &[AttachResource]) -> Shared {
    let mut shared: BTreeMap<DatabaseId, Option<&Arc<Horizons>>> = BTreeMap::new();
    for attached in resources {
        let Some(database) = attached.resource.database else {
            continue;
        };
        let found = shared.entry(database).or_insert(Some(&attached.horizons));
        if *found != Some(&attached.horizons) {
            *found = None;
        }
    }
    let shared = shared.into_iter();
    shared
        .filter_map(|(database, horizons)| Some((database, Arc::clone(horizons?))))
        .collect()
}

fn horizons_to(horizons: &Horizons) -> Vec<v1::LocalHorizon> {
    let horizon = |(incarnation, counter): (&Incarnation, &u64)| v1::LocalHorizon {
        incarnation: Some((*incarnation).into()),
        counter: *counter,
    };
    horizons.iter().map(horizon).collect()
}

fn horizons_from(presented: Vec<v1::LocalHorizon>) -> Result<Arc<Horizons>, WireError> {
    at_most("horizons", presented.len(), limits::INCARNATIONS_MAX)?;
    let mut horizons = BTreeMap::new();
    for horizon in presented {
        let incarnation = present("incarnation", horizon.incarnation)?.into();
        if horizons.insert(incarnation, horizon.counter).is_some() {
            return Err(WireError::wrong(
                "horizons",
                "an incarnation stands there twice",
            ));
        }
    }
    Ok(Arc::new(horizons))
}

fn resource_to(attached: &AttachResource, shared: &Shared) -> v1::AttachResource {
    let database = attached.resource.database;
    let is_shared = database.is_some_and(|database| shared.contains_key(&database));
    v1::AttachResource {
        resource: Some((&attached.resource).into()),
        actions: attached.actions.iter().map(ActionName::to_string).collect(),
        horizons: if is_shared {
            Vec::new()
        } else {
            horizons_to(&attached.horizons)
        },
    }
}

fn resource_from(
    attached: v1::AttachResource,
    shared: &Shared,
) -> Result<AttachResource, WireError> {
    let resource: Resource = present("resource", attached.resource)?.try_into()?;
    let of_database = resource.database.and_then(|database| shared.get(&database));
    let horizons = match of_database {
        None => horizons_from(attached.horizons)?,
        Some(horizons) if attached.horizons.is_empty() => Arc::clone(horizons),
        Some(_) => {
            return Err(WireError::wrong(
                "horizons",
                "the resource presents others than its database",
            ));
        }
    };
    let action = |text: String| parsed("actions", &text);
    Ok(AttachResource {
        resource,
        actions: set("actions", attached.actions, limits::RESOURCES_MAX, action)?,
        horizons,
    })
}

fn shared_from(databases: Vec<v1::AttachDatabase>) -> Result<Shared, WireError> {
    at_most("databases", databases.len(), limits::RESOURCES_MAX)?;
    let mut shared = Shared::new();
    for database in databases {
        let identity = DatabaseId(exactly("identity", &database.identity)?);
        let horizons = horizons_from(database.horizons)?;
        if shared.insert(identity, horizons).is_some() {
            return Err(WireError::wrong(
                "databases",
                "a database stands there twice",
            ));
        }
    }
    Ok(shared)
}

impl From<&Attach> for v1::Attach {
    /// The id is filled in by who sends it.
    fn from(attach: &Attach) -> Self {
        let shared = shared(&attach.resources);
        let resources = attach.resources.iter();
        Self {
            id: 0,
            application: super::cut(&attach.application),
            principal: super::cut(&attach.principal),
            known_log: attach.known_log.map(|log| log.0.to_vec()),
            newest: attach.newest.map(Into::into),
            resources: resources
                .map(|attached| resource_to(attached, &shared))
                .collect(),
            databases: shared
                .iter()
                .map(|(database, horizons)| v1::AttachDatabase {
                    identity: database.0.to_vec(),
                    horizons: horizons_to(horizons),
                })
                .collect(),
        }
    }
}

impl TryFrom<v1::Attach> for Attach {
    type Error = WireError;

    fn try_from(attach: v1::Attach) -> Result<Self, WireError> {
        at_most("resources", attach.resources.len(), limits::RESOURCES_MAX)?;
        let known_log = attach.known_log.map(|bytes| exactly("known_log", &bytes));
        let shared = shared_from(attach.databases)?;
        let resources = attach.resources.into_iter();
        Ok(Self {
            application: text("application", attach.application)?.to_string(),
            principal: text("principal", attach.principal)?.to_string(),
            known_log: known_log.transpose()?.map(LogId),
            newest: attach.newest.map(Into::into),
            resources: resources
                .map(|attached| resource_from(attached, &shared))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Attached> for v1::Attached {
    fn from(attached: &Attached) -> Self {
        let info = |info: &IncarnationInfo| v1::IncarnationInfo {
            incarnation: Some(info.incarnation.into()),
            horizon: Some((&info.horizon).into()),
        };
        Self {
            log: attached.log.0.to_vec(),
            incarnations: attached.incarnations.iter().map(info).collect(),
        }
    }
}

impl TryFrom<v1::Attached> for Attached {
    type Error = WireError;

    fn try_from(attached: v1::Attached) -> Result<Self, WireError> {
        at_most(
            "incarnations",
            attached.incarnations.len(),
            limits::INCARNATIONS_MAX,
        )?;
        let info = |info: v1::IncarnationInfo| {
            Ok(IncarnationInfo {
                incarnation: present("incarnation", info.incarnation)?.into(),
                horizon: present("horizon", info.horizon)?.try_into()?,
            })
        };
        Ok(Self {
            log: LogId(exactly("log", &attached.log)?),
            incarnations: attached
                .incarnations
                .into_iter()
                .map(info)
                .collect::<Result<_, WireError>>()?,
        })
    }
}

impl From<&AttachRefused> for v1::AttachRefused {
    fn from(refused: &AttachRefused) -> Self {
        use v1::attach_refused::Why;
        let why = match refused {
            AttachRefused::Replaced { newest } => Why::Replaced((*newest).into()),
            AttachRefused::Stopping => Why::Stopping(v1::Empty {}),
            AttachRefused::NotTaken { why } => Why::NotTaken(super::cut(why)),
        };
        Self { why: Some(why) }
    }
}

impl TryFrom<v1::AttachRefused> for AttachRefused {
    type Error = WireError;

    fn try_from(refused: v1::AttachRefused) -> Result<Self, WireError> {
        use v1::attach_refused::Why;
        Ok(match present("refused", refused.why)? {
            Why::Replaced(newest) => Self::Replaced {
                newest: newest.into(),
            },
            Why::Stopping(_) => Self::Stopping,
            Why::NotTaken(why) => Self::NotTaken {
                why: text("not_taken", why)?,
            },
        })
    }
}
