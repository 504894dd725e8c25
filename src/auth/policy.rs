//! Who may call an operation. Each rule is a type that the handler's signature names. Which rows the caller may see is
//! decided elsewhere: see [`super::reach`].

use super::caller::{Caller, CallerKind, Permission, Role, Scope};
use crate::db::types::TextEnum;
use crate::error::{Error, Result};

/// A rule about who may call an operation. It needs no look-up in the database.
pub trait Policy: 'static {
    /// Checks whether this caller may call the operation.
    ///
    /// # Errors
    /// 401 if a caller is needed and there is none, 403 if this caller never may.
    fn check(caller: Option<&Caller>) -> Result<()>;
}

/// Everybody, with or without a token. A bad token is still answered with 401.
pub struct Public;

impl Policy for Public {
    fn check(_: Option<&Caller>) -> Result<()> {
        Ok(())
    }
}

/// Anybody with a token.
pub struct Anyone;

impl Policy for Anyone {
    fn check(caller: Option<&Caller>) -> Result<()> {
        known(caller).map(|_| ())
    }
}

/// Anybody who logs in with a password. API clients don't.
pub struct AccountHolder;

impl Policy for AccountHolder {
    fn check(caller: Option<&Caller>) -> Result<()> {
        match known(caller)?.kind {
            CallerKind::User => Ok(()),
            CallerKind::Client => Err(Error::forbidden("An API client has no password. Rotate its secret instead.")),
        }
    }
}

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident: $($role:ident),+;)+) => { $(
        $(#[$doc])*
        pub struct $name;

        impl Policy for $name {
            fn check(caller: Option<&Caller>) -> Result<()> {
                one_of(known(caller)?, &[$(Role::$role),+])
            }
        }
    )+ };
}

roles! {
    /// Admins.
    AdminOnly: Admin;
    /// Pathways advisors.
    AdvisorOnly: Advisor;
    /// Admins and advisors.
    Staff: Admin, Advisor;
    /// Members (for their own data) and advisors.
    MemberOrAdvisor: Member, Advisor;
    /// Members (for their own data) and staff.
    MemberOrStaff: Member, Admin, Advisor;
    /// Readers of reports.
    Reports: Analyst, Admin;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: [$($role:ident),*] $($permission:ident),+;)+) => { $(
        $(#[$doc])*
        pub struct $name;

        impl Policy for $name {
            fn check(caller: Option<&Caller>) -> Result<()> {
                let caller = known(caller)?;
                one_of(caller, &[Role::Advisor, $(Role::$role),*])?;
                permitted(caller, &[$(Permission::$permission),+])
            }
        }
    )+ };
}

permissions! {
    /// Pathways advisors whom an admin has given the permission `safeguarding`.
    SafeguardingAdvisor: [] Safeguarding;
    /// Pathways advisors whom an admin has given the permission `subject_access`.
    SubjectAccessAdvisor: [] SubjectAccess;
    /// Advisors who answer or review requests for everything that is kept about a member.
    ExportAdvisor: [] SubjectAccess, Safeguarding;
    /// Members (for their own data), and advisors who ask for everything that is kept about a member.
    ExportAsker: [Member] SubjectAccess;
    /// Members (for their own data), and advisors who answer or review such requests.
    ExportReader: [Member] SubjectAccess, Safeguarding;
}

/// Admins, who erase people, and pathways advisors with the permission `safeguarding`, who release what it holds.
pub struct AdminOrSafeguarding;

impl Policy for AdminOrSafeguarding {
    fn check(caller: Option<&Caller>) -> Result<()> {
        AdminOnly::check(caller).or_else(|_| SafeguardingAdvisor::check(caller))
    }
}

macro_rules! partner_scopes {
    ($($(#[$doc:meta])* $name:ident: $scope:ident, $($role:ident),*;)+) => { $(
        $(#[$doc])*
        pub struct $name;

        impl Policy for $name {
            fn check(caller: Option<&Caller>) -> Result<()> {
                let caller = known(caller)?;
                one_of(caller, &[Role::Partner, $(Role::$role),*])?;
                scope(caller, Scope::$scope)
            }
        }
    )+ };
}

partner_scopes! {
    /// Staff, and partners that may write sessions.
    SessionWriter: SessionsWrite, Admin, Advisor;
    /// Admins, and partners that may write their programmes.
    ProgrammeWriter: ProgrammesWrite, Admin;
    /// Admins, and partners that may post rosters.
    RosterWriter: RostersWrite, Admin;
    /// Admins, and partners that may read their rosters.
    RosterReader: RostersRead, Admin;
    /// Members (for their own bookings), advisors, and partners that may read bookings of their sessions.
    BookingReader: BookingsRead, Member, Advisor;
    /// Advisors, and partners that may read registers of their sessions.
    RegisterReader: RegistersRead, Advisor;
    /// Advisors, and partners that may take registers of their sessions.
    RegisterWriter: RegistersWrite, Advisor;
}

/// Admins, and partners that may read or post their rosters. A partner that posts a roster can see its outcome.
pub struct RosterUser;

impl Policy for RosterUser {
    fn check(caller: Option<&Caller>) -> Result<()> {
        let caller = known(caller)?;
        one_of(caller, &[Role::Partner, Role::Admin])?;
        scope(caller, Scope::RostersRead).or_else(|missing| scope(caller, Scope::RostersWrite).map_err(|_| missing))
    }
}

fn known(caller: Option<&Caller>) -> Result<&Caller> {
    caller.ok_or_else(|| Error::unauthenticated("This needs an access token: Authorization: Bearer …"))
}

fn one_of(caller: &Caller, roles: &[Role]) -> Result<()> {
    if roles.contains(&caller.role) {
        return Ok(());
    }
    Err(Error::forbidden(format!("An account with the role {} can't do this.", caller.role)))
}

/// Refuses an advisor who has none of these permissions.
fn permitted(caller: &Caller, permissions: &[Permission]) -> Result<()> {
    if caller.role != Role::Advisor || permissions.iter().any(|permission| caller.has_permission(*permission)) {
        return Ok(());
    }
    let names: Vec<&str> = permissions.iter().map(|permission| permission.name()).collect();
    Err(Error::forbidden(format!("This needs the permission {}. An admin can give it.", names.join(" or "))))
}

/// Refuses a partner whose token lacks the scope.
///
/// # Errors
/// 403.
pub fn scope(caller: &Caller, scope: Scope) -> Result<()> {
    if caller.role != Role::Partner || caller.has_scope(scope) {
        return Ok(());
    }
    Err(Error::insufficient_scope(scope.name()))
}
