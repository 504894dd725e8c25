//! What an entry's names stand for: venues, their spaces, the partner's programmes.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use diesel::prelude::*;

use crate::db::schema::{programmes, spaces, venues};
use crate::db::{Conn, Id, Json};
use crate::error::{Fault, Result};
use crate::text::fold::name_key;
use crate::text::nearest::nearest;
use crate::venues::spaces::types::{KEPT, is_open_to};

/// Things that are known by an id and by a slug.
#[derive(Debug, Default)]
struct Named {
    slugs: HashMap<String, Id>,
    ids: HashSet<Id>,
    /// What the unknown names of this roster are told: the nearest known ones take time to find.
    told: Mutex<HashMap<String, String>>,
}

/// For so many different unknown names the nearest known ones are looked for; in a whole roster of wrong names
/// nobody reads more.
const MOST_GUESSED: usize = 100;

impl Named {
    fn new(rows: Vec<(Id, String)>) -> Self {
        let ids = rows.iter().map(|(id, _)| *id).collect();
        Self { ids, slugs: rows.into_iter().map(|(id, slug)| (slug, id)).collect(), told: Mutex::default() }
    }

    fn find(&self, text: &str) -> Option<Id> {
        let by_id = text.parse().ok().filter(|id| self.ids.contains(id));
        by_id.or_else(|| self.slugs.get(text).copied())
    }

    fn unknown(&self, text: &str, what: &str) -> String {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(detail) = told.get(text) {
            return detail.clone();
        }
        let mut detail = format!("There is no such {what}.");
        if told.len() < MOST_GUESSED {
            let near = nearest(text, self.slugs.keys().map(String::as_str));
            if !near.is_empty() {
                detail.push_str(&format!(" Nearest: {}.", near.join(", ")));
            }
            told.insert(text.to_owned(), detail.clone());
        }
        detail
    }
}

/// Everything that the entries of one partner's roster can name.
#[derive(Debug, Default)]
pub struct Lookups {
    venues: Named,
    programmes: Named,
    /// By venue: each space's id and name.
    spaces: HashMap<Id, Vec<(Id, String)>>,
    /// The spaces that are kept for other partners.
    kept: HashSet<Id>,
}

impl Lookups {
    /// Reads them.
    pub fn load(conn: &mut Conn, partner_id: Id) -> Result<Self> {
        let venues = venues::table.select((venues::id, venues::slug)).load(conn)?;
        let own = programmes::table.filter(programmes::partner_id.eq(partner_id));
        let programmes = own.select((programmes::id, programmes::slug)).load(conn)?;
        let mut by_venue: HashMap<Id, Vec<(Id, String)>> = HashMap::new();
        let mut kept = HashSet::new();
        let columns = (spaces::venue_id, spaces::id, spaces::name, spaces::kept_for);
        for (venue, id, name, kept_for) in
            spaces::table.select(columns).load::<(Id, Id, String, Json<Vec<Id>>)>(conn)?
        {
            by_venue.entry(venue).or_default().push((id, name));
            kept.extend((!is_open_to(Some(partner_id), &kept_for.0)).then_some(id));
        }
        Ok(Self { venues: Named::new(venues), programmes: Named::new(programmes), spaces: by_venue, kept })
    }

    /// Whether the same names stand for the same things.
    pub fn same_as(&self, other: &Self) -> bool {
        let same = |one: &Named, other: &Named| one.slugs == other.slugs;
        let known = |lookups: &Self| -> HashSet<(Id, Id)> {
            let pairs = lookups.spaces.iter().flat_map(|(venue, spaces)| spaces.iter().map(|(id, _)| (*venue, *id)));
            pairs.collect()
        };
        same(&self.venues, &other.venues)
            && same(&self.programmes, &other.programmes)
            && known(self) == known(other)
            && self.kept == other.kept
    }

    /// A venue by id or slug.
    ///
    /// # Errors
    /// A fault that names the three nearest.
    pub fn venue(&self, text: &str) -> Result<Id, Fault> {
        let unknown = || Fault::at("/venue", "unknown_venue", self.venues.unknown(text, "venue"));
        self.venues.find(text).ok_or_else(unknown)
    }

    /// One of the partner's own programmes by id or slug.
    ///
    /// # Errors
    /// A fault that names the three nearest; another partner's programme is as unknown as one that doesn't exist.
    pub fn programme(&self, text: &str) -> Result<Id, Fault> {
        let detail = || self.programmes.unknown(text, "programme of this partner");
        self.programmes.find(text).ok_or_else(|| Fault::at("/programme", "unknown_programme", detail()))
    }

    /// A space of a venue by id or name, whatever its case and accents. `held` is the space that the entry's series or
    /// session holds already: it may stay there.
    ///
    /// # Errors
    /// A fault that names the venue's spaces, or that says that the space is kept for others.
    pub fn space(&self, venue: Id, text: &str, held: Option<Id>) -> Result<Id, Fault> {
        let id = self.named_space(venue, text)?;
        if held != Some(id) && self.kept.contains(&id) {
            return Err(Fault::at("/space", KEPT.0, KEPT.1));
        }
        Ok(id)
    }

    fn named_space(&self, venue: Id, text: &str) -> Result<Id, Fault> {
        let spaces = self.spaces.get(&venue).map(Vec::as_slice).unwrap_or_default();
        let by_id = text.parse().ok().filter(|id| spaces.iter().any(|(known, _)| known == id));
        let exact = || spaces.iter().find(|(_, name)| name == text).map(|(id, _)| *id);
        let by_name = || {
            // Another spelling of the name will do, where it is the name of one space only.
            let key = name_key(text);
            let mut alike = spaces.iter().filter(|(_, name)| !key.is_empty() && name_key(name) == key);
            alike.next().filter(|_| alike.next().is_none()).map(|(id, _)| *id)
        };
        by_id.or_else(exact).or_else(by_name).ok_or_else(|| {
            let names = nearest(text, spaces.iter().map(|(_, name)| name.as_str()));
            let detail = match names.as_slice() {
                [] => "The venue has no spaces.".to_owned(),
                names => format!("The venue has no such space. Nearest: {}.", names.join(", ")),
            };
            Fault::at("/space", "unknown_space", detail)
        })
    }
}
