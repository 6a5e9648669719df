using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;

namespace Mesh.ApiServer.Resources;

/// <summary>What each type of Secret must hold (kubernetes pkg/apis/core/validation, ValidateSecret). No sentence shows a value.</summary>
internal static class SecretValidation
{
    private const string ServiceAccountName = "kubernetes.io/service-account.name";

    public static void Validate(JsonObject? stored, JsonObject document, Causes causes)
    {
        var data = document.At("data") as JsonObject ?? [];
        KeyedContents.ValidateKeys("data", data, causes);
        if (data.Sum(member => KeyedContents.Decode(member.Value).Length) > KeyedContents.MaxBytes)
        {
            causes.TooLong("data", KeyedContents.MaxBytes);
        }

        ValidateType(document, data, causes);
        if (stored is not null && stored.At("type").AsText() != document.At("type").AsText())
        {
            causes.Invalid("type", document.At("type"), "field is immutable");
        }

        KeyedContents.ValidateImmutable(stored, document, causes, "data");
    }

    private static void ValidateType(JsonObject document, JsonObject data, Causes causes)
    {
        switch (document.At("type").AsText())
        {
            case "kubernetes.io/service-account-token" when document.At("metadata", "annotations", ServiceAccountName).IsUnset():
                causes.Required($"metadata.annotations[{ServiceAccountName}]");
                break;
            case "kubernetes.io/dockercfg":
                ValidateJson(".dockercfg", data, causes);
                break;
            case "kubernetes.io/dockerconfigjson":
                ValidateJson(".dockerconfigjson", data, causes);
                break;
            case "kubernetes.io/basic-auth" when !data.ContainsKey("username") && !data.ContainsKey("password"):
                causes.Required("data[username]");
                causes.Required("data[password]");
                break;
            case "kubernetes.io/ssh-auth" when KeyedContents.Decode(data["ssh-privatekey"]).Length == 0:
                causes.Required("data[ssh-privatekey]");
                break;
            case "kubernetes.io/tls":
                Require("tls.crt", data, causes);
                Require("tls.key", data, causes);
                break;
        }
    }

    private static void Require(string key, JsonObject data, Causes causes)
    {
        if (!data.ContainsKey(key))
        {
            causes.Required($"data[{key}]");
        }
    }

    private static void ValidateJson(string key, JsonObject data, Causes causes)
    {
        if (!data.ContainsKey(key))
        {
            causes.Required($"data[{key}]");
            return;
        }

        try
        {
            using var parsed = JsonDocument.Parse(KeyedContents.Decode(data[key]));
        }
        catch (JsonException)
        {
            causes.Invalid($"data[{key}]", "<secret contents redacted>", "is not valid JSON");
        }
    }
}
