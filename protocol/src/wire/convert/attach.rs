use std::collections::{BTreeMap, BTreeSet};

use super::{at_most, exactly, parsed, present, set, text};
use crate::ids::{ActionName, Incarnation, LogId};
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

impl From<&AttachResource> for v1::AttachResource {
    fn from(resource: &AttachResource) -> Self {
        let horizon = |(incarnation, counter): (&Incarnation, &u64)| v1::LocalHorizon {
            incarnation: Some((*incarnation).into()),
            counter: *counter,
        };
        Self {
            resource: Some((&resource.resource).into()),
            actions: resource.actions.iter().map(ActionName::to_string).collect(),
            horizons: resource.horizons.iter().map(horizon).collect(),
        }
    }
}

impl TryFrom<v1::AttachResource> for AttachResource {
    type Error = WireError;

    fn try_from(resource: v1::AttachResource) -> Result<Self, WireError> {
        at_most(
            "horizons",
            resource.horizons.len(),
            limits::INCARNATIONS_MAX,
        )?;
        let mut horizons = BTreeMap::new();
        for horizon in resource.horizons {
            let incarnation = present("incarnation", horizon.incarnation)?.into();
            if horizons.insert(incarnation, horizon.counter).is_some() {
                return Err(WireError::wrong(
                    "horizons",
                    "an incarnation stands there twice",
                ));
            }
        }
        let action = |text: String| parsed("actions", &text);
        Ok(Self {
            resource: present("resource", resource.resource)?.try_into()?,
            actions: set("actions", resource.actions, limits::RESOURCES_MAX, action)?,
            horizons,
        })
    }
}

impl From<&Attach> for v1::Attach {
    /// The id is filled in by who sends it.
    fn from(attach: &Attach) -> Self {
        Self {
            id: 0,
            application: super::cut(&attach.application),
            principal: super::cut(&attach.principal),
            known_log: attach.known_log.map(|log| log.0.to_vec()),
            newest: attach.newest.map(Into::into),
            resources: attach.resources.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<v1::Attach> for Attach {
    type Error = WireError;

    fn try_from(attach: v1::Attach) -> Result<Self, WireError> {
        at_most("resources", attach.resources.len(), limits::RESOURCES_MAX)?;
        let known_log = attach.known_log.map(|bytes| exactly("known_log", &bytes));
        Ok(Self {
            application: text("application", attach.application)?.to_string(),
            principal: text("principal", attach.principal)?.to_string(),
            known_log: known_log.transpose()?.map(LogId),
            newest: attach.newest.map(Into::into),
            resources: attach
                .resources
                .into_iter()
                .map(TryInto::try_into)
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
        })
    }
}
