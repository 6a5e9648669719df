using System.Net;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>Which Ingresses are refused (kubernetes pkg/apis/networking/validation/validation.go).</summary>
internal static class IngressValidation
{
    private const string ClassAnnotation = "kubernetes.io/ingress.class";

    private const string WildcardMessage =
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    private static readonly string[] ForbiddenInPath = ["//", "/./", "/../", "%2f", "%2F"];

    private static readonly string[] ForbiddenAtEnd = ["/..", "/."];

    public static void Validate(JsonObject? stored, JsonObject document, Causes causes)
    {
        var spec = document.At("spec");
        if (spec.At("rules").IsUnset() && spec.At("defaultBackend") is null)
        {
            causes.Invalid("spec", spec ?? new JsonObject(), "either `defaultBackend` or `rules` must be specified");
        }

        ValidateClass(stored, document, causes);
        foreach (var annotation in (string[])[MeshAnnotations.RouteUnprotected, MeshAnnotations.SslRedirect])
        {
            if (document.At("metadata", "annotations", annotation).AsText() is { } choice and not ("true" or "false"))
            {
                causes.NotSupported($"metadata.annotations[{annotation}]", choice, "false", "true");
            }
        }

        foreach (var (rule, index) in spec.At("rules").AsList().Select((rule, index) => (rule, index)))
        {
            ValidateRule(rule, $"spec.rules[{index}]", causes);
        }

        foreach (var (path, backend) in Backends(spec))
        {
            IngressBackendValidation.Validate(backend, path, causes);
        }

        foreach (var (tls, index) in spec.At("tls").AsList().Select((tls, index) => (tls, index)))
        {
            ValidateTls(tls, $"spec.tls[{index}]", causes);
        }
    }

    /// <summary>Every backend of an Ingress with its path.</summary>
    public static IEnumerable<(string Path, JsonNode? Backend)> Backends(JsonNode? spec)
    {
        if (spec.At("defaultBackend") is { } single)
        {
            yield return ("spec.defaultBackend", single);
        }

        foreach (var (rule, i) in spec.At("rules").AsList().Select((rule, i) => (rule, i)))
        {
            foreach (var (path, j) in rule.At("http", "paths").AsList().Select((path, j) => (path, j)))
            {
                yield return ($"spec.rules[{i}].http.paths[{j}].backend", path.At("backend"));
            }
        }
    }

    private static void ValidateClass(JsonObject? stored, JsonObject document, Causes causes)
    {
        var name = document.At("spec", "ingressClassName").AsText();
        if (name is not null && !DnsSubdomain.IsValid(name))
        {
            causes.Invalid("spec.ingressClassName", name, NameRule.DnsSubdomain.Message);
        }

        // On create only: objects that hold both from long ago stay editable.
        if (stored is null
            && name is not null
            && document.At("metadata", "annotations", ClassAnnotation).AsText() is { } annotation
            && annotation != name)
        {
            causes.Invalid($"annotations.{ClassAnnotation}", annotation, "must match `ingressClassName` when both are specified");
        }
    }

    private static void ValidateRule(JsonNode? rule, string field, Causes causes)
    {
        if (rule.At("host").AsText() is { Length: > 0 } host)
        {
            ValidateHost(host, $"{field}.host", causes);
        }

        if (rule.At("http") is { } http)
        {
            if (http.At("paths").IsUnset())
            {
                causes.Required($"{field}.http.paths");
            }

            foreach (var (path, index) in http.At("paths").AsList().Select((path, index) => (path, index)))
            {
                ValidatePath(path, $"{field}.http.paths[{index}]", causes);
            }
        }
    }

    private static void ValidateHost(string host, string field, Causes causes)
    {
        if (IPAddress.TryParse(host, out var address) && (host.Contains(':', StringComparison.Ordinal) || address.ToString() == host))
        {
            causes.Invalid(field, host, "must be a DNS name, not an IP address");
        }

        ValidateName(host, field, causes);
    }

    private static void ValidateName(string host, string field, Causes causes)
    {
        if (host.Contains('*', StringComparison.Ordinal))
        {
            if (!host.StartsWith("*.", StringComparison.Ordinal) || !DnsSubdomain.IsValid(host[2..]))
            {
                causes.Invalid(field, host, WildcardMessage);
            }
        }
        else if (!DnsSubdomain.IsValid(host))
        {
            causes.Invalid(field, host, NameRule.DnsSubdomain.Message);
        }
    }

    private static void ValidatePath(JsonNode? rule, string field, Causes causes)
    {
        var path = rule.At("path").AsText() ?? "";
        switch (rule.At("pathType").AsText())
        {
            case null or "":
                causes.Required($"{field}.pathType", "pathType must be specified");
                return;
            case "ImplementationSpecific":
                if (path.Length > 0 && !path.StartsWith('/'))
                {
                    causes.Invalid($"{field}.path", path, "must be an absolute path");
                }

                return;
            case "Exact" or "Prefix":
                ValidateStrictPath(path, $"{field}.path", causes);
                return;
            default:
                causes.NotSupported($"{field}.pathType", rule.At("pathType"), "Exact", "ImplementationSpecific", "Prefix");
                return;
        }
    }

    private static void ValidateStrictPath(string path, string field, Causes causes)
    {
        if (!path.StartsWith('/'))
        {
            causes.Invalid(field, path, "must be an absolute path");
        }

        foreach (var part in ForbiddenInPath.Where(part => path.Contains(part, StringComparison.Ordinal)))
        {
            causes.Invalid(field, path, $"must not contain '{part}'");
        }

        foreach (var end in ForbiddenAtEnd.Where(end => path.EndsWith(end, StringComparison.Ordinal)))
        {
            causes.Invalid(field, path, $"cannot end with '{end}'");
        }
    }

    private static void ValidateTls(JsonNode? tls, string field, Causes causes)
    {
        foreach (var (host, index) in tls.At("hosts").AsList().Select((host, index) => (host.AsText() ?? "", index)))
        {
            ValidateName(host, $"{field}.hosts[{index}]", causes);
        }

        if (tls.At("secretName").AsText() is { Length: > 0 } secret && !DnsSubdomain.IsValid(secret))
        {
            causes.Invalid($"{field}.secretName", secret, NameRule.DnsSubdomain.Message);
        }
    }
}
