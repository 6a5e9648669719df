using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.ApiServer.Resources;

/// <summary>ClusterIPs and address families of a Service (validation.go, ValidateServiceClusterIPsRelatedFields).</summary>
internal static class ServiceAddressValidation
{
    public const string NoAddress = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

    /// <summary>An address that traffic may be sent to: written as Kubernetes writes it, and some machine's.</summary>
    public static void ValidateMachine(string? text, string field, Causes causes)
    {
        if (!AddressText.TryParse(text, out var address))
        {
            causes.Invalid(field, text, NoAddress);
        }
        else if (EndpointRule.WhyNoMachine(address) is { } why)
        {
            causes.Invalid(field, text, why);
        }
    }

    public static void Validate(JsonObject? stored, JsonNode? spec, string type, Causes causes)
    {
        var clusterIP = spec.At("clusterIP").AsText() ?? "";
        var all = spec.At("clusterIPs").AsList().ToList();
        if (clusterIP == "None" && type != "ClusterIP")
        {
            causes.Invalid("spec.clusterIPs[0]", "None", $"may not be set to 'None' for {type} services");
        }

        if (all.Count > 2)
        {
            causes.Invalid("spec.clusterIPs", spec.At("clusterIPs"), "may only hold up to 2 values");
        }
        else if (all.Count == 2)
        {
            var hasNone = all.Any(address => address.AsText() == "None");
            causes.Invalid("spec.clusterIPs", spec.At("clusterIPs"), hasNone
                ? "'None' must be the first and only value"
                : "may specify no more than one IP for each IP family");
        }

        if (all.Count > 0 && all[0].AsText() != clusterIP)
        {
            causes.Invalid("spec.clusterIPs", spec.At("clusterIPs"), "first value must match `clusterIP`");
        }
        else if (all.Count > 0 && clusterIP != "None" && !IsIPv4(clusterIP))
        {
            causes.Invalid("spec.clusterIPs[0]", clusterIP, NoAddress);
        }

        ValidateUnchanged(stored, clusterIP, causes);
        ValidateFamilies(spec, causes);
    }

    /// <summary>An allocated address stays; it goes only with a change to ExternalName.</summary>
    private static void ValidateUnchanged(JsonObject? stored, string clusterIP, Causes causes)
    {
        var before = stored.At("spec", "clusterIP").AsText() ?? "";
        if (before.Length > 0 && before != clusterIP && stored.At("spec", "type").AsText() != "ExternalName")
        {
            causes.Invalid("spec.clusterIPs[0]", clusterIP, "may not change once set");
        }
    }

    private static void ValidateFamilies(JsonNode? spec, Causes causes)
    {
        foreach (var (family, index) in spec.At("ipFamilies").AsList().Select((family, index) => (family, index)))
        {
            var field = $"spec.ipFamilies[{index}]";
            switch (family.AsText())
            {
                case "IPv4" when index == 0:
                    break;
                case "IPv4":
                    causes.Duplicate(field, family);
                    break;
                case "IPv6":
                    causes.Invalid(field, family, "not configured on this cluster");
                    break;
                default:
                    causes.NotSupported(field, family, "IPv4", "IPv6");
                    break;
            }
        }

        switch (spec.At("ipFamilyPolicy").AsText())
        {
            case null or "" or "SingleStack" or "PreferDualStack":
                break;
            case "RequireDualStack":
                causes.Invalid("spec.ipFamilyPolicy", "RequireDualStack", "this cluster is not configured for dual-stack services");
                break;
            default:
                causes.NotSupported("spec.ipFamilyPolicy", spec.At("ipFamilyPolicy"), "SingleStack", "PreferDualStack", "RequireDualStack");
                break;
        }
    }

    // IPAddress.TryParse also takes "1.2" and "0x7f000001"; the canonical form tells.
    private static bool IsIPv4(string text) =>
        IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == text;
}
