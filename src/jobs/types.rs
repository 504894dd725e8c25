//! Jobs as JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Ref, Schema, Type};

use crate::auth::caller::{Caller, CallerKind, Role};
use crate::db::{Id, Timestamp};
use crate::error::Problem;
use crate::http::context::Context;

crate::text_enum! {
    /// What a job does.
    pub enum JobKind {
        /// It applies a roster.
        Roster,
    }
    /// How far a job has come.
    pub enum JobStatus {
        /// Nobody is at it yet, or it will be tried again.
        Queued,
        /// Somebody is at it.
        Running,
        /// It is done; see `result`.
        Succeeded,
        /// It came to nothing; see `problem`.
        Failed,
    }
}

impl JobStatus {
    /// Whether nothing will become of it any more.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// How much of a job is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobProgress {
    /// Of a roster, the entries that have been checked; all of them before it is applied as a whole.
    #[schema(example = 250)]
    pub done: i32,
    /// How many there are.
    #[schema(example = 600)]
    pub total: i32,
}

/// What a job did is described by the resource whose kind it is, as the schema `JobResult`.
fn result_schema() -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    let described = Ref::builder().ref_location_from_schema_name("JobResult");
    let described = described.description(Some("What it did, once it has succeeded."));
    OneOfBuilder::new().item(described).item(null).build().into()
}

/// Long work that goes on after its request was answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: Id,
    /// What it does.
    pub kind: JobKind,
    /// The partner whose it is.
    pub partner_id: Option<Id>,
    /// How far it has come.
    pub status: JobStatus,
    /// How much of it is done.
    pub progress: JobProgress,
    /// What it did, once it has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = result_schema)]
    pub result: Option<Value>,
    /// Why it failed: what would have been answered at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Problem>)]
    pub problem: Option<Value>,
    /// Rises with each step; the `ETag`.
    #[schema(example = 3)]
    pub version: i32,
    /// When it was taken in.
    pub created_at: Timestamp,
    /// When it last came a step further.
    pub updated_at: Timestamp,
    /// When it succeeded or failed; null before.
    pub ended_at: Option<Timestamp>,
}

/// Who asked for a job, and in which request: what it does is done in their name, under that request's id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asker {
    id: Id,
    kind: CallerKind,
    role: Role,
    partner_id: Option<Id>,
    member_id: Option<Id>,
    /// The request's id.
    pub request_id: String,
    /// The path that was asked for.
    pub path: String,
}

impl Asker {
    /// Whoever sent this request.
    ///
    /// # Errors
    /// 401 where nobody has said who they are.
    pub fn of(context: &Context) -> crate::error::Result<Self> {
        let Caller { id, kind, role, partner_id, member_id, .. } = *context.caller()?;
        let (request_id, path) = (context.request_id().to_owned(), context.path().to_owned());
        Ok(Self { id, kind, role, partner_id, member_id, request_id, path })
    }

    /// Whoever a job's `work` names as its `asker`.
    ///
    /// # Errors
    /// 500 where it names nobody.
    pub fn in_work(work: &Value) -> crate::error::Result<Self> {
        let asker = work.get("asker").ok_or_else(|| crate::error::Error::internal("a job without an asker"))?;
        Self::deserialize(asker).map_err(crate::error::Error::internal)
    }

    /// Them as the caller of what is done now. What they may do was decided when they asked.
    pub fn caller(&self) -> Caller {
        let Self { id, kind, role, partner_id, member_id, .. } = *self;
        Caller { id, kind, role, partner_id, member_id, scopes: Vec::new(), permissions: Vec::new() }
    }
}
