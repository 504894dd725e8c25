//! An HTTP client that knows who it is, and answers that can be asked about.

use life_rooms::db::Id;
use serde_json::Value;

#[derive(Clone)]
pub struct Client {
    url: String,
    pub token: Option<String>,
    /// The account, where the client is one.
    pub id: Option<Id>,
    agent: ureq::Agent,
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub bytes: Vec<u8>,
    /// The body as text, as far as it is one.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub json: Value,
}

impl Client {
    pub fn new(url: &str, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(std::time::Duration::from_secs(60)));
        Self { url: url.into(), token, id: None, agent: config.build().new_agent() }
    }

    /// The same caller at another server.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.into(), ..self.clone() }
    }

    /// Sends anything. `body` is sent as it is, with the headers given. Every answer is held to the document.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = if body.is_empty() && matches!(method, "GET" | "DELETE" | "HEAD" | "OPTIONS") {
            self.agent.run(request.body(()).expect("a request"))
        } else {
            self.agent.run(request.body(body.to_vec()).expect("a request"))
        };
        let mut answer = answer.expect("the server answers");
        let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec().expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let answer = Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            bytes,
        };
        super::contract::check(method, path, &answer);
        answer
    }

    fn send_json(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(method, path, &all, body.to_string().as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send_json("POST", path, &[], body)
    }

    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send_json("POST", path, headers, body)
    }

    /// PATCH with the version that was read; an empty `etag` sends no If-Match.
    pub fn patch(&self, path: &str, etag: &str, body: &Value) -> Answer {
        let if_match = [("if-match", etag)];
        self.send_json("PATCH", path, if etag.is_empty() { &[] } else { &if_match }, body)
    }

    pub fn put(&self, path: &str, etag: &str, body: &Value) -> Answer {
        let if_match = [("if-match", etag)];
        self.send_json("PUT", path, if etag.is_empty() { &[] } else { &if_match }, body)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"")
    }
}

impl Answer {
    /// The body, where the status is this one; else the test fails and shows the answer.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json
    }

    /// The problem, where it is of this status and type (`/problems/<slug>`); the test fails otherwise.
    #[track_caller]
    pub fn problem(self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["type"], format!("/problems/{slug}"), "{}", self.text);
        assert_eq!(self.json["status"], status);
        assert!(self.json["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        assert_eq!(self.json["request_id"], self.header("x-request-id"));
        self.json
    }

    /// A 422 whose errors are exactly at these pointers, in any order.
    #[track_caller]
    pub fn invalid(self, pointers: &[&str]) -> Value {
        let problem = self.problem(422, "invalid-body");
        let mut found: Vec<&str> = problem["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .filter_map(|fault| fault["pointer"].as_str())
            .collect();
        let mut wanted = pointers.to_vec();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{problem:#}");
        problem
    }

    /// A 400 that names this parameter.
    #[track_caller]
    pub fn wrong_parameter(self, name: &str) -> Value {
        let problem = self.problem(400, "invalid-parameter");
        assert_eq!(problem["errors"][0]["parameter"], name, "{problem:#}");
        problem
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn etag(&self) -> &str {
        self.header("etag")
    }

    /// The version that the tag begins with. The rest of a tag is opaque.
    pub fn tag_version(&self) -> &str {
        self.etag().trim_matches('"').split('-').next().unwrap_or_default()
    }

    /// The id of what the body shows.
    #[track_caller]
    pub fn id(&self) -> String {
        self.json["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).to_owned()
    }
}
