//! The names of everything in the small world, made once.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use unanimous::global::calls::{Calls, Ending};
use unanimous_coordinator::decide::SessionId;
use unanimous_protocol::header::AnswerHeader;
use unanimous_protocol::ids::Target;
use unanimous_protocol::message::Register;
use unanimous_protocol::{
    ActionName, Alias, CallId, DatabaseId, Digest, Incarnation, OwnXid, Resource, Xid,
};

use crate::scope::{Can, Scope};

/// A place where a branch may run: 0 and 1 are those of the two calls; 2 is where a repeat of the
/// first call may arrive.
pub(crate) type Place = usize;

pub(crate) const PLACES: usize = 3;

/// Which call of the body a place serves.
pub(crate) const fn call_of(place: Place) -> usize {
    if place == 1 { 1 } else { 0 }
}

pub(crate) static FIRST_START: LazyLock<Incarnation> = LazyLock::new(|| incarnation(1));

/// The one transaction.
pub(crate) static OWN_XID: LazyLock<OwnXid> = LazyLock::new(|| OwnXid {
    incarnation: *FIRST_START,
    counter: 1,
});

pub(crate) static XID: LazyLock<Xid> = LazyLock::new(|| (*OWN_XID).into());

/// The `number`th start of the coordinator.
pub(crate) fn incarnation(number: u64) -> Incarnation {
    Incarnation {
        number,
        random: 1_000 + number,
    }
}

pub(crate) fn target(call: usize) -> Target {
    Target::new(["first.Service.Call", "second.Service.Call"][call])
}

pub(crate) fn tolerate() -> Target {
    Target::new("~tolerate")
}

/// The names of one scope.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) places: [PlaceNames; PLACES],
}

#[derive(Debug)]
pub(crate) struct PlaceNames {
    pub(crate) session: SessionId,
    pub(crate) resource: Resource,
    pub(crate) actions: BTreeSet<ActionName>,
    pub(crate) register: Register,
}

impl Names {
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            places: [0, 1, 2].map(|place| PlaceNames::new(scope, place)),
        }
    }

    /// Where a delivery to this session about this call arrives.
    pub(crate) fn place_of(&self, session: SessionId, call: &CallId) -> Option<Place> {
        self.places
            .iter()
            .position(|place| place.session == session && place.register.call == *call)
    }
}

impl PlaceNames {
    fn new(scope: Scope, place: Place) -> Self {
        let call = call_of(place);
        let minted = place == 2 && scope.can(Can::MintCallIds);
        // A minted call id leads to the same database.
        let database = if minted { 0 } else { place };
        let identity = if scope.can(Can::ConfuseDatabases) {
            call
        } else {
            database
        };
        let action: ActionName = "act".parse().expect("a name");
        let resource = Resource {
            participant: ["first", "second"][call].parse().expect("a name"),
            database: Some(DatabaseId([u8::try_from(identity).expect("small"); 16])),
        };
        let register = Register {
            xid: XID.clone(),
            call: branch_call(scope, call, if minted { 2 } else { 1 }),
            resource: resource.clone(),
            action: action.clone(),
            kind: scope.kinds[call],
            digest: Digest([7; 32]),
            arguments: None,
            trace: None,
        };
        Self {
            session: SessionId(database as u64),
            resource,
            actions: [action].into(),
            register,
        }
    }
}

/// The id of the remote call that the body makes.
pub(crate) fn remote_call(scope: Scope, call: usize) -> CallId {
    let mut root = Calls::<unanimous::global::calls::All>::new(CallId::root());
    let parent = if call == 1 && scope.can(Can::Tolerate) {
        root.open(&tolerate()).expect("short")
    } else {
        CallId::root()
    };
    let mut around = Calls::<unanimous::global::calls::All>::new(parent);
    around.open(&target(call)).expect("short")
}

/// The id of the action that the handler of that call runs: the branch. A handler whose records
/// outlived one delivery would number it on.
fn branch_call(scope: Scope, call: usize, delivery: usize) -> CallId {
    let mut handler = Calls::<unanimous::global::calls::All>::new(remote_call(scope, call));
    let open = |handler: &mut Calls| {
        handler
            .open(&Target::new("participant.act"))
            .expect("short")
    };
    let ids: Vec<CallId> = (0..delivery).map(|_| open(&mut handler)).collect();
    ids.into_iter().next_back().expect("at least one delivery")
}

/// What the handler answers whose action succeeded as this branch: by the records of the action's
/// body and of the handler.
pub(crate) fn answer(register: &Register, alias: Alias) -> AnswerHeader {
    let mut action = Calls::<unanimous::global::calls::All>::new(register.call.clone());
    action.own_name(alias);
    let mut handler = Calls::<unanimous::global::calls::All>::new(CallId::root());
    let call = handler
        .open(&Target::new("participant.act"))
        .expect("short");
    handler.joined();
    handler.answered(&call, action.end(Ending::Ok));
    handler.end(Ending::Ok)
}
