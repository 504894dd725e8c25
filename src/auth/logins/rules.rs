//! What a refresh token is worth, decided without the database.

use super::{MOST, Why};
use crate::config::Lifetime;
use crate::db::{Id, Timestamp};

/// For how many seconds the token before the newest still gets the newest.
pub const GRACE: i64 = 60;

/// A login as the decision sees it.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// The number of the newest token.
    pub newest: i32,
    /// When the newest token was made.
    pub rotated_at: Timestamp,
    /// When the login was last refreshed, or began.
    pub last_used_at: Timestamp,
    /// When the login ends at the latest.
    pub expires_at: Timestamp,
    /// Whether the login has ended.
    pub ended: bool,
}

/// What becomes of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The next token is made.
    Rotate,
    /// The newest token is given again. Nothing is written.
    Repeat,
    /// The token is refused, and its login ends.
    End(Why),
    /// The token is refused.
    Refuse,
}

impl Family {
    /// Whether the login can be used at this time.
    pub fn is_live(&self, idle: i64, now: Timestamp) -> bool {
        !self.ended && self.expires_at > now && self.last_used_at.plus_seconds(idle) > now
    }

    /// What becomes of the token with this number.
    ///
    /// The token before the newest counts for a minute: the answer with the newest may have been lost, or two tabs of
    /// one browser refreshed at once. Not until the newest is used: then a thief and the owner could share one family,
    /// and nobody would notice.
    ///
    /// A token of a login that has ended ends nothing else: whoever logged out may still have an old one.
    pub fn decide(&self, presented: i32, idle: i64, now: Timestamp) -> Decision {
        if !self.is_live(idle, now) {
            return Decision::Refuse;
        }
        if presented == self.newest {
            return Decision::Rotate;
        }
        // The database was restored from a backup, so it doesn't know the tokens that were made since.
        if presented > self.newest {
            return Decision::End(Why::Expired);
        }
        let in_time = self.rotated_at.plus_seconds(GRACE) >= now;
        match presented == self.newest - 1 && in_time {
            true => Decision::Repeat,
            false => Decision::End(Why::Reuse),
        }
    }
}

/// How many seconds a refresh token that is used now can wait for its next use.
pub fn usable_for(expires_at: Timestamp, idle: i64, now: Timestamp) -> i64 {
    idle.min((expires_at.0 - now.0).num_seconds())
}

/// The logins of an account that end when it logs in once more, and why: those that can't be used any more, and those
/// used longest ago if there are too many.
pub fn outlived(mut logins: Vec<(Id, Family)>, lifetime: Lifetime, now: Timestamp) -> Vec<(Id, Why)> {
    logins.sort_by_key(|(id, family)| (family.last_used_at, *id));
    let (live, dead): (Vec<_>, Vec<_>) = logins.into_iter().partition(|(_, family)| family.is_live(lifetime.idle, now));
    let surplus = (live.len() + 1).saturating_sub(MOST);
    let dead = dead.into_iter().map(|(id, _)| (id, Why::Expired));
    dead.chain(live.into_iter().take(surplus).map(|(id, _)| (id, Why::Evicted))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::new_id_at;

    const IDLE: i64 = 7200;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(chrono::DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap())
    }

    /// A login whose fifth token was made at second 0.
    fn family() -> Family {
        Family { newest: 5, rotated_at: at(0), last_used_at: at(0), expires_at: at(40_000), ended: false }
    }

    #[test]
    fn a_token_is_judged_by_its_number_and_the_time_since_the_newest_was_made() {
        let end = |why| Decision::End(why);
        for (presented, seconds, decision) in [
            (5, 0, Decision::Rotate),
            (5, 61, Decision::Rotate),
            (5, IDLE - 1, Decision::Rotate),
            (4, 0, Decision::Repeat),
            (4, 60, Decision::Repeat),
            (4, 61, end(Why::Reuse)),
            (3, 0, end(Why::Reuse)),
            (1, 3600, end(Why::Reuse)),
            (0, 0, end(Why::Reuse)),
            (i32::MIN, 0, end(Why::Reuse)),
            (6, 0, end(Why::Expired)),
            (i32::MAX, 0, end(Why::Expired)),
            // Another server's clock may be a little ahead.
            (4, -5, Decision::Repeat),
        ] {
            assert_eq!(family().decide(presented, IDLE, at(seconds)), decision, "{presented} after {seconds} s");
        }
    }

    #[test]
    fn a_token_of_a_login_that_is_over_is_refused_and_ends_nothing() {
        let dead = [
            (Family { ended: true, ..family() }, 1),
            (Family { expires_at: at(10), ..family() }, 10),
            (family(), IDLE),
            (Family { last_used_at: at(39_999), ..family() }, 40_000),
        ];
        for (family, seconds) in dead {
            for presented in [1, 4, 5, 6] {
                assert_eq!(family.decide(presented, IDLE, at(seconds)), Decision::Refuse, "{family:?} {presented}");
            }
        }
    }

    #[test]
    fn a_refresh_token_lasts_until_it_is_idle_or_its_login_is_too_old() {
        assert_eq!(usable_for(at(40_000), IDLE, at(0)), IDLE);
        assert_eq!(usable_for(at(40_000), IDLE, at(39_000)), 1000);
    }

    #[test]
    fn the_eleventh_login_takes_the_place_of_the_one_used_longest_ago() {
        let lifetime = Lifetime { idle: IDLE, longest: 40_000 };
        let login = |used: i64| (new_id_at(at(used)), Family { last_used_at: at(used), ..family() });
        let ten: Vec<_> = [9, 3, 5, 1, 7, 2, 8, 4, 6, 10].map(login).to_vec();
        assert_eq!(outlived(ten[..9].to_vec(), lifetime, at(20)), []);
        assert_eq!(outlived(ten.clone(), lifetime, at(20)), [(ten[3].0, Why::Evicted)]);
        // One that can't be used any more takes nobody's place.
        let at = at(IDLE + 1);
        assert_eq!(outlived(ten.clone(), lifetime, at), [(ten[3].0, Why::Expired)]);
    }
}
