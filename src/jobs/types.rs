//! Jobs as JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Ref, Schema, Type};

use crate::auth::right::Right;
use crate::db::{Id, Timestamp};
use crate::error::Problem;
use crate::http::context::Context;

crate::text_enum! {
    /// The kind of work that a job does.
    pub enum JobKind {
        /// Applies a roster.
        Roster,
    }
    /// How far a job has come.
    pub enum JobStatus {
        /// No server runs it yet, or it will be tried again.
        Queued,
        /// A server runs it.
        Running,
        /// It is done; see `result`.
        Succeeded,
        /// It failed; see `problem`.
        Failed,
    }
}

impl JobStatus {
    /// Whether the job has ended.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// How much of a job is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobProgress {
    /// How many items are done. For a roster these are the entries that have been checked: all are checked before the
    /// roster is applied as a whole.
    #[schema(example = 250)]
    pub done: i32,
    /// How many items there are.
    #[schema(example = 600)]
    pub total: i32,
}

/// The schema of `result` is a reference to `JobResult`, which the resource that adds the kind of job describes.
fn result_schema() -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    let described = Ref::builder().ref_location_from_schema_name("JobResult");
    let described = described.description(Some("What the job did; null until it has succeeded."));
    OneOfBuilder::new().item(described).item(null).build().into()
}

/// Long work that goes on after its request was answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: Id,
    /// The kind of work.
    pub kind: JobKind,
    /// The partner that the job belongs to.
    pub partner_id: Option<Id>,
    /// How far it has come.
    pub status: JobStatus,
    /// How much of it is done.
    pub progress: JobProgress,
    /// What the job did; null until it has succeeded.
    // The text as it is stored: that of a dry run can have megabytes, and many times more as a `Value`.
    #[schema(schema_with = result_schema)]
    pub result: Option<Box<RawValue>>,
    /// Why the job failed: the problem that would have answered the request. Null if the job hasn't failed.
    #[schema(value_type = Option<Problem>)]
    pub problem: Option<Box<RawValue>>,
    /// Rises with each step. It is also the `ETag`.
    #[schema(example = 3)]
    pub version: i32,
    /// When the job was created.
    pub created_at: Timestamp,
    /// When the job last made progress.
    pub updated_at: Timestamp,
    /// When the job succeeded or failed; null before that.
    pub ended_at: Option<Timestamp>,
}

/// Who asked for a job and in which request. The job is done in their name and under that request's id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asker {
    /// The right to ask, which may end before the job is done.
    pub right: Right,
    /// The request's id.
    pub request_id: String,
    /// The path of the request.
    pub path: String,
}

impl Asker {
    /// The sender of this request.
    ///
    /// # Errors
    /// 401 if the request has no credentials.
    pub fn of(context: &Context) -> crate::error::Result<Self> {
        let (request_id, path) = (context.request_id().to_owned(), context.path().to_owned());
        Ok(Self { right: Right::of(context.caller()?), request_id, path })
    }

    /// The `asker` that a job's `work` names.
    ///
    /// # Errors
    /// 500 if it names nobody.
    pub fn in_work(work: &Value) -> crate::error::Result<Self> {
        let asker = work.get("asker").ok_or_else(|| crate::error::Error::internal("a job without an asker"))?;
        Self::deserialize(asker).map_err(crate::error::Error::internal)
    }
}
