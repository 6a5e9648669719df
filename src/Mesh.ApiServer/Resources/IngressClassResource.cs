using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>IngressClasses: which controller an Ingress is meant for. Mesh makes its own at its start.</summary>
internal static class IngressClassResource
{
    private const int MaxControllerLength = 250;

    public static Resource Create(SchemaReader schemas) => new()
    {
        Group = Kinds.NetworkingGroup,
        Kind = "IngressClass",
        Plural = "ingressclasses",
        Singular = "ingressclass",
        IsNamespaced = false,
        HasStatus = false,
        Schema = schemas.Read(typeof(V1IngressClass)),
        WrittenBy = new WrittenBy.Store(),
        CountsGenerations = true,
        Default = Default,
        Validate = Validate,
        Columns = [TableColumn.ObjectName, TableColumn.Text("Controller"), TableColumn.Text("Parameters"), TableColumn.Age],
        Cells = static (document, now) =>
        [
            document.ObjectName(),
            document.At("spec", "controller").Text(),
            Parameters(document.At("spec", "parameters")),
            TableCells.Age(document, now),
        ],
    };

    /// <summary>The class that Mesh serves, and that an Ingress without one is of.</summary>
    public static JsonObject Own() => new()
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = MeshIngressClass.Name,
            ["annotations"] = new JsonObject { [MeshIngressClass.IsDefaultAnnotation] = "true" },
        },
        ["spec"] = new JsonObject { ["controller"] = MeshIngressClass.Controller },
    };

    private static string Parameters(JsonElement parameters)
    {
        var name = parameters.At("name").Text();
        var group = parameters.At("apiGroup").Text();
        return name.Length == 0 ? TableCells.None
            : group.Length == 0 ? $"{parameters.At("kind").Text()}/{name}"
            : $"{parameters.At("kind").Text()}.{group}/{name}";
    }

    private static void Default(JsonObject document)
    {
        if (document.At("spec", "parameters") is JsonObject parameters)
        {
            parameters.SetDefault("scope", "Cluster");
        }
    }

    // kubernetes pkg/apis/networking/validation, ValidateIngressClass
    private static void Validate(JsonObject? stored, JsonObject document, Causes causes)
    {
        var controller = document.At("spec", "controller").AsText() ?? "";
        if (controller.Length > MaxControllerLength)
        {
            causes.TooLong("spec.controller", MaxControllerLength);
        }

        if (!IsDomainPrefixedPath(controller))
        {
            causes.Invalid("spec.controller", controller, "must be a domain-prefixed path (such as \"acme.io/foo\")");
        }

        if (stored is not null && (stored.At("spec", "controller").AsText() ?? "") != controller)
        {
            causes.Invalid("spec.controller", controller, "field is immutable");
        }

        if (document.At("spec", "parameters") is JsonObject parameters)
        {
            ValidateParameters(parameters, causes);
        }
    }

    private static void ValidateParameters(JsonObject parameters, Causes causes)
    {
        foreach (var field in new[] { "kind", "name" })
        {
            if (parameters.At(field).IsUnset())
            {
                causes.Required($"spec.parameters.{field}", $"{field} is required");
            }
        }

        var scope = parameters.At("scope").AsText();
        var hasNamespace = !parameters.At("namespace").IsUnset();
        switch (scope)
        {
            case "Cluster" when hasNamespace:
                causes.Forbidden("spec.parameters.namespace", "parameters.namespace should not be set when parameters.scope is set to Cluster");
                break;
            case "Namespace" when !hasNamespace:
                causes.Required("spec.parameters.namespace", "parameters.scope is set to Namespace");
                break;
            case not ("Cluster" or "Namespace"):
                causes.NotSupported("spec.parameters.scope", scope, "Cluster", "Namespace");
                break;
        }
    }

    private static bool IsDomainPrefixedPath(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < text.Length - 1
            && DnsSubdomain.IsValid(text[..slash])
            && text[(slash + 1)..].All(letter => char.IsAsciiLetterOrDigit(letter) || "-._~!$&'()*+,;=:@%/".Contains(letter, StringComparison.Ordinal));
    }
}
