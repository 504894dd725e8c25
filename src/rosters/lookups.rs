//! What an entry's names stand for: venues, their spaces, the partner's programmes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use diesel::prelude::*;

use crate::db::schema::{programmes, spaces, venues};
use crate::db::{Conn, Id, Json};
use crate::error::{Fault, Result};
use crate::text::fold::name_key;
use crate::text::nearest::nearest;
use crate::venues::spaces::types::{KEPT, is_open_to};

/// How names are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By id or slug.
    Exact,
    /// In a sheet: also by name, whatever its case, accents and punctuation, if only one has it.
    AsWritten,
}

/// Things that are known by an id and by a name: a slug, or the name of a space.
#[derive(Debug, Default)]
struct Named {
    names: HashMap<String, Id>,
    ids: HashSet<Id>,
    /// Of things with a slug, the name in full, and the slug.
    titles: Vec<(String, String)>,
    /// By the slug and by the name in folded form; all that have it.
    keys: HashMap<String, Vec<Id>>,
    /// What the unknown names of this roster are told: the nearest known ones take time to find.
    told: Mutex<HashMap<String, String>>,
}

/// For so many different unknown names the nearest known ones are looked for. In a whole roster of wrong names nobody
/// reads more.
const MOST_GUESSED: usize = 100;

impl Named {
    /// What a text names.
    ///
    /// # Errors
    /// The sentence that there is no such thing, or more than one.
    fn read(&self, text: &str, naming: Naming, sentence: &str) -> Result<Id, String> {
        match naming {
            Naming::Exact => self.find(text).ok_or_else(|| self.unknown(text, sentence)),
            Naming::AsWritten => self.find_written(text, sentence),
        }
    }

    /// Things with a slug and a name.
    fn titled(rows: impl IntoIterator<Item = (Id, String, String)>) -> Self {
        let mut named = Self::default();
        for (id, slug, name) in rows {
            for key in BTreeSet::from([name_key(&slug), name_key(&name)]) {
                named.keys.entry(key).or_default().push(id);
            }
            named.titles.push((name, slug.clone()));
            named.add(id, slug);
        }
        named
    }

    /// What a text names in a sheet.
    ///
    /// # Errors
    /// The sentence that there is no such thing, or more than one.
    fn find_written(&self, text: &str, sentence: &str) -> Result<Id, String> {
        if let Some(id) = self.find(text) {
            return Ok(id);
        }
        let key = name_key(text);
        let exactly = |id: &&Id| self.ids_of_title(text).any(|titled| titled == **id);
        match self.keys.get(&key).map(Vec::as_slice) {
            Some([id]) => Ok(*id),
            Some(several) => match several.iter().filter(exactly).collect::<Vec<_>>().as_slice() {
                [id] => Ok(**id),
                _ => Err(format!("Several have this name. Write the slug: {}.", self.slugs_of(&key))),
            },
            None => Err(self.unknown_written(text, sentence)),
        }
    }

    /// The things whose name in full is this text.
    fn ids_of_title<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Id> + 'a {
        let titled = self.titles.iter().filter(move |(name, _)| name == text);
        titled.filter_map(|(_, slug)| self.names.get(slug).copied())
    }

    /// The slugs of the first of the things that have this key.
    fn slugs_of(&self, key: &str) -> String {
        let named = |(name, slug): &&(String, String)| name_key(name) == key || name_key(slug) == key;
        self.titles.iter().filter(named).take(5).map(|(_, slug)| slug.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The name of each thing, or its slug if several have the name.
    fn sheet_names(&self) -> Vec<String> {
        let is_clear = |name: &str| self.keys.get(&name_key(name)).is_some_and(|known| known.len() == 1);
        let names = self.titles.iter().map(|(name, slug)| if is_clear(name) { name } else { slug });
        let mut names: Vec<String> = names.cloned().collect();
        names.sort_by_key(|name| name_key(name));
        names
    }

    fn add(&mut self, id: Id, name: String) {
        self.ids.insert(id);
        self.names.entry(name).or_insert(id);
    }

    fn find(&self, text: &str) -> Option<Id> {
        let by_id = text.parse().ok().filter(|id| self.ids.contains(id));
        by_id.or_else(|| self.names.get(text).copied())
    }

    /// The sentence that there is no such thing, with the nearest ones.
    fn unknown(&self, text: &str, sentence: &str) -> String {
        self.unknown_near(text, sentence, || {
            nearest(text, self.names.keys().map(String::as_str)).into_iter().map(str::to_owned).collect()
        })
    }

    /// The same with their names too. Those that have all its words come first.
    fn unknown_written(&self, text: &str, sentence: &str) -> String {
        self.unknown_near(text, sentence, || {
            let wanted = name_key(text);
            let has_all = |name: &str| {
                let key = name_key(name);
                wanted.split(' ').all(|word| key.split(' ').any(|known| known == word))
            };
            let with_all = self.titles.iter().filter(|(name, _)| !wanted.is_empty() && has_all(name)).take(3);
            let names = self.titles.iter().flat_map(|(name, slug)| [name.as_str(), slug.as_str()]);
            let near = nearest(text, names);
            let near =
                near.iter().filter_map(|near| self.titles.iter().find(|(name, slug)| name == near || slug == near));
            let mut found: Vec<&(String, String)> = Vec::new();
            for titled in with_all.chain(near) {
                if !found.contains(&titled) {
                    found.push(titled);
                }
            }
            found.iter().take(3).map(|(name, slug)| format!("{name} ({slug})")).collect()
        })
    }

    /// The sentence with the nearest names, as long as it is one of the first unknown ones.
    fn unknown_near(&self, text: &str, sentence: &str, nearest: impl FnOnce() -> Vec<String>) -> String {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(detail) = told.get(text) {
            return detail.clone();
        }
        let mut detail = sentence.to_owned();
        if told.len() < MOST_GUESSED {
            let near = nearest();
            if !near.is_empty() {
                detail.push_str(&format!(" Nearest: {}.", near.join(", ")));
            }
            told.insert(text.to_owned(), detail.clone());
        }
        detail
    }

    fn is_same_as(&self, other: &Self) -> bool {
        self.names == other.names && self.ids == other.ids && self.keys == other.keys && self.titles == other.titles
    }
}

/// The spaces of one venue.
#[derive(Debug, Default)]
struct Spaces {
    named: Named,
    /// By the name without case and accents; `None` if several spaces have it.
    keys: HashMap<String, Option<Id>>,
}

impl Spaces {
    fn add(&mut self, id: Id, name: String) {
        let key = name_key(&name);
        if !key.is_empty() {
            self.keys.entry(key).and_modify(|known| *known = None).or_insert(Some(id));
        }
        self.named.add(id, name);
    }

    fn find(&self, text: &str) -> Option<Id> {
        self.named.find(text).or_else(|| self.keys.get(&name_key(text)).copied().flatten())
    }
}

/// Everything that the entries of one partner's roster can name.
#[derive(Debug, Default)]
pub struct Lookups {
    venues: Named,
    programmes: Named,
    /// By venue.
    spaces: HashMap<Id, Spaces>,
    /// The spaces that are kept for other partners.
    kept: HashSet<Id>,
}

impl Lookups {
    /// Reads them.
    pub fn load(conn: &mut Conn, partner_id: Id) -> Result<Self> {
        let venues: Vec<(Id, String, String)> =
            venues::table.select((venues::id, venues::slug, venues::name)).order(venues::slug).load(conn)?;
        let own = programmes::table.filter(programmes::partner_id.eq(partner_id));
        let programmes: Vec<(Id, String, String)> =
            own.select((programmes::id, programmes::slug, programmes::name)).order(programmes::slug).load(conn)?;
        let mut by_venue: HashMap<Id, Spaces> = HashMap::new();
        let mut kept = HashSet::new();
        let columns = (spaces::venue_id, spaces::id, spaces::name, spaces::kept_for);
        for (venue, id, name, kept_for) in
            spaces::table.select(columns).load::<(Id, Id, String, Json<Vec<Id>>)>(conn)?
        {
            by_venue.entry(venue).or_default().add(id, name);
            kept.extend((!is_open_to(Some(partner_id), &kept_for.0)).then_some(id));
        }
        Ok(Self { venues: Named::titled(venues), programmes: Named::titled(programmes), spaces: by_venue, kept })
    }

    /// What the venues are called in a sheet, in order: by their name, or by their slug if several have the name.
    pub fn venue_titles(&self) -> Vec<String> {
        self.venues.sheet_names()
    }

    /// The same of the partner's programmes.
    pub fn programme_titles(&self) -> Vec<String> {
        self.programmes.sheet_names()
    }

    /// Whether the same names stand for the same things.
    pub fn same_as(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.spaces, &other.spaces);
        let same_spaces = |(venue, spaces): (&Id, &Spaces)| {
            theirs.get(venue).is_some_and(|others| spaces.named.is_same_as(&others.named))
        };
        self.venues.is_same_as(&other.venues)
            && self.programmes.is_same_as(&other.programmes)
            && ours.len() == theirs.len()
            && ours.iter().all(same_spaces)
            && self.kept == other.kept
    }

    /// A venue by id or slug, in a sheet also by name.
    ///
    /// # Errors
    /// A fault that names the three nearest.
    pub fn venue(&self, text: &str, naming: Naming) -> Result<Id, Fault> {
        let found = self.venues.read(text, naming, "There is no such venue.");
        found.map_err(|detail| Fault::at("/venue", "unknown_venue", detail))
    }

    /// One of the partner's own programmes by id or slug, in a sheet also by name.
    ///
    /// # Errors
    /// A fault that names the three nearest; another partner's programme is as unknown as one that doesn't exist.
    pub fn programme(&self, text: &str, naming: Naming) -> Result<Id, Fault> {
        let found = self.programmes.read(text, naming, "There is no such programme of this partner.");
        found.map_err(|detail| Fault::at("/programme", "unknown_programme", detail))
    }

    /// A space of a venue by id or name, whatever its case and accents. `held` is the space that the entry's series or
    /// session holds already: it may stay there.
    ///
    /// # Errors
    /// A fault that names the three nearest, or that says that the space is kept for others.
    pub fn space(&self, venue: Id, text: &str, held: Option<Id>) -> Result<Id, Fault> {
        let id = self.named_space(venue, text)?;
        if held != Some(id) && self.kept.contains(&id) {
            return Err(Fault::at("/space", KEPT.0, KEPT.1));
        }
        Ok(id)
    }

    fn named_space(&self, venue: Id, text: &str) -> Result<Id, Fault> {
        let spaces = self.spaces.get(&venue);
        spaces.and_then(|spaces| spaces.find(text)).ok_or_else(|| {
            let detail = match spaces {
                None => "The venue has no spaces.".to_owned(),
                Some(spaces) => spaces.named.unknown(text, "The venue has no such space."),
            };
            Fault::at("/space", "unknown_space", detail)
        })
    }
}
