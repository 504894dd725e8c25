//! How people get accounts and keep them: registering, invitations, forgotten passwords, other addresses.
//!
//! - Whatever a stranger asks about an address, the answer and the work are the same: one link and one message are written,
//!   whether or not there is an account. Whether there is one is looked up when the message is sent. So neither the answer
//!   nor its time tells who has an account.
//! - A link changes nothing by being opened. It takes its secret, and a password that a person types.

mod asking;
pub mod email_changes;
pub mod invitations;
pub mod member_account;
pub mod pages;
pub mod password_resets;
pub mod registrations;
pub mod reset_links;
pub mod types;

crate::routes! {
    registrations: register_myself, confirm_registration;
    invitations: invite_member, list_invitations, get_invitation, revoke_invitation, confirm_invitation;
    password_resets: ask_for_password_reset, confirm_password_reset;
    reset_links: make_reset_link;
    email_changes: ask_for_email_change, confirm_email_change;
    member_account: get_member_account, change_member_account
}
