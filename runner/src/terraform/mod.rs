//! Terraform (or OpenTofu) as a child process: typed events out of its JSON, in files that outlive us.
