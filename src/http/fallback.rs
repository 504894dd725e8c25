//! Answers requests for which there is no operation.

use std::collections::{BTreeSet, HashMap};

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};

use super::patch;
use crate::error::{Error, Result};

/// The methods of each path in the OpenAPI document.
#[derive(Clone)]
pub struct Routes {
    /// Paths without parameters.
    plain: HashMap<String, Methods>,
    /// Paths with parameters, split at the slashes.
    templates: Vec<(Vec<String>, Methods)>,
}

/// The methods of one path, in the order of their names.
type Methods = BTreeSet<String>;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

impl Routes {
    /// Reads the document's paths.
    pub fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let mut routes = Self { plain: HashMap::new(), templates: Vec::new() };
        let value = serde_json::to_value(&document.paths).unwrap_or_default();
        for (path, item) in value.as_object().into_iter().flatten() {
            let methods = item.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase());
            let mut methods: Methods = methods.filter(|method| METHODS.contains(&method.as_str())).collect();
            if methods.contains("GET") {
                methods.insert("HEAD".into());
            }
            methods.insert("OPTIONS".into());
            if path.contains('{') {
                routes.templates.push((path.split('/').map(str::to_owned).collect(), methods));
            } else {
                routes.plain.insert(path.clone(), methods);
            }
        }
        routes
    }

    /// Adds the paths that begin with `below`: they can be read (GET, HEAD and OPTIONS).
    pub fn reading(mut self, below: &str) -> Self {
        let methods: Methods = ["GET", "HEAD", "OPTIONS"].map(str::to_owned).into();
        let template = format!("{below}/{{part}}");
        self.plain.insert(below.to_owned(), methods.clone());
        self.plain.insert(format!("{below}/"), methods.clone());
        self.templates.push((template.split('/').map(str::to_owned).collect(), methods));
        self
    }

    /// The methods of a path; `None` if there is no such path. A path without parameters wins over a template:
    /// `/v1/members/search` isn't the member `search`.
    fn methods(&self, path: &str) -> Option<Methods> {
        if let Some(methods) = self.plain.get(path) {
            return Some(methods.clone());
        }
        let parts: Vec<&str> = path.split('/').collect();
        let fitting = self.templates.iter().filter(|(template, _)| fits(template, &parts));
        let parameters = |template: &[String]| template.iter().map(|part| part.contains('{')).collect::<Vec<_>>();
        let best = fitting.clone().map(|(template, _)| parameters(template)).min()?;
        let best = fitting.filter(|(template, _)| parameters(template) == best);
        Some(best.flat_map(|(_, methods)| methods.iter().cloned()).collect())
    }

    /// Refuses a method that a path without parameters doesn't have. Without this check, the router would take the path
    /// for one with a parameter: `PATCH /v1/members/search` would look for a member called `search`.
    ///
    /// # Errors
    /// 405.
    pub fn check(&self, path: &str, method: &Method) -> Result<()> {
        match self.plain.get(path) {
            Some(methods) if !methods.contains(method.as_str()) => Err(not_allowed(methods)),
            _ => Ok(()),
        }
    }
}

/// Whether a path fits a template. A parameter stands for any text, and may be followed by an ending: `{secret}.ics`.
fn fits(template: &[String], parts: &[&str]) -> bool {
    let part_fits = |(template, part): (&String, &&str)| match template.split_once('}') {
        Some((_, after)) => part.strip_suffix(after).is_some_and(|value| !value.is_empty()),
        None => template == part,
    };
    template.len() == parts.len() && template.iter().zip(parts).all(part_fits)
}

fn list(methods: &Methods) -> String {
    methods.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn not_allowed(methods: &Methods) -> Error {
    Error::method_not_allowed(list(methods))
}

/// Answers a request for which there is no operation: OPTIONS with `Allow`, 405 if the path has other methods, or 404.
pub async fn answer(request: HttpRequest, routes: web::Data<Routes>) -> HttpResponse {
    let asks = request.method() == Method::OPTIONS;
    let methods = match routes.methods(request.path()) {
        // `OPTIONS *` asks about the server as a whole.
        None if asks && request.uri().path() == "*" => {
            METHODS.into_iter().chain(["HEAD", "OPTIONS"]).map(str::to_owned).collect()
        }
        None => return HttpResponse::from_error(Error::not_found("path")),
        Some(methods) => methods,
    };
    if !asks {
        return HttpResponse::from_error(not_allowed(&methods));
    }
    let mut response = HttpResponse::NoContent();
    response.insert_header(("Allow", list(&methods)));
    if methods.contains("PATCH") {
        response.insert_header(("Accept-Patch", patch::TYPES.join(", ")));
    }
    response.finish()
}
