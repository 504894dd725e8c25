//! Who sent a request.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::Id;
use crate::db::types::TextEnum;

crate::text_enum! {
    /// What an account is for.
    #[derive(Hash)]
    pub enum Role {
        /// Runs the service: venues, partners, accounts and reports. Never sees a person's record.
        Admin,
        /// A pathways advisor, who works with members.
        Advisor,
        /// Reads counts, and never sees a person's record.
        Analyst,
        /// Somebody who uses the service, and sees only their own record.
        Member,
        /// An API client or a user of one partner.
        Partner,
    }
}

crate::text_enum! {
    /// What an account may do besides what its role allows.
    pub enum Permission {
        /// Read and write members' safeguarding flags: warnings that somebody is at risk of harm. Counts only for
        /// advisors.
        Safeguarding,
        /// Answer members who ask for everything that is kept about them. Counts only for advisors.
        SubjectAccess,
    }
}

macro_rules! scopes {
    ($($scope:ident: $name:tt, $about:tt;)+) => {
        /// A scope: something that a partner's API client can be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(Serialize, Deserialize, ToSchema, strum::EnumString, strum::EnumIter)]
        pub enum Scope {
            $(#[doc = $about] #[serde(rename = $name)] #[strum(serialize = $name)] $scope,)+
        }

        impl Scope {
            /// The scope's name in tokens and in the OpenAPI document.
            pub fn name(self) -> &'static str {
                match self { $(Self::$scope => $name),+ }
            }

            /// What the scope allows.
            pub fn about(self) -> &'static str {
                match self { $(Self::$scope => $about),+ }
            }
        }
    };
}

scopes! {
    RostersRead: "rosters:read", "Read rosters and their outcomes";
    RostersWrite: "rosters:write", "Post rosters";
    SessionsWrite: "sessions:write", "Create and change sessions and series";
    ProgrammesWrite: "programmes:write", "Create and change programmes";
    BookingsRead: "bookings:read", "Read the bookings of the partner's sessions";
    RegistersRead: "registers:read", "Read the registers of the partner's sessions";
    RegistersWrite: "registers:write", "Take the registers of the partner's sessions";
}

/// Whether a caller is a person or a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// A person with an account.
    User,
    /// A partner's API client.
    Client,
}

/// Who sent a request, read from the database at this request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account's or client's id.
    pub id: Id,
    /// Whether the caller is a person or a program.
    pub kind: CallerKind,
    /// The caller's role.
    pub role: Role,
    /// The partner, if the role is `partner`.
    pub partner_id: Option<Id>,
    /// The member, if the role is `member`.
    pub member_id: Option<Id>,
    /// The scopes of an API client's token. A partner's user needs none: see [`Caller::has_scope`].
    pub scopes: Vec<Scope>,
    /// Permissions beyond the role.
    pub permissions: Vec<String>,
    /// The login that an account's token belongs to.
    pub login_id: Option<Id>,
    /// The generation of the account or client, which the token has too.
    pub generation: i32,
}

impl Caller {
    /// Whether an admin has given the caller's account this permission.
    pub fn has_permission(&self, permission: Permission) -> bool {
        self.permissions.iter().any(|held| held == permission.name())
    }

    /// Admins and advisors.
    pub fn is_staff(&self) -> bool {
        matches!(self.role, Role::Admin | Role::Advisor)
    }

    /// Whose share of the server's work the caller's requests take: the partner's, or that of an account without one.
    pub fn owner(&self) -> Id {
        self.partner_id.unwrap_or(self.id)
    }

    /// Whether the caller has this scope. A user has every scope; an API client has those of its token.
    pub fn has_scope(&self, scope: Scope) -> bool {
        self.kind == CallerKind::User || self.scopes.contains(&scope)
    }
}
