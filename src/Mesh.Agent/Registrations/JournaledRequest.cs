using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Json;
using Mesh.Core.Pods;

namespace Mesh.Agent.Registrations;

/// <summary>
/// Reads a registration that an earlier build took on and wrote to the journal. What this build would refuse of a new one
/// must not end a Pod that lives: it is left out here, as it meant nothing to the earlier build.
/// </summary>
internal static class JournaledRequest
{
    public static Registration Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            return RegistrationParser.Read(body);
        }
        catch (FormatException)
        {
            return RegistrationParser.Read(Mended(body));
        }
    }

    private static byte[] Mended(ReadOnlyMemory<byte> body)
    {
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(body.Span);
        }
        catch (JsonException malformed)
        {
            throw new FormatException($"The body is not JSON: {malformed.Message}", malformed);
        }

        if (root is JsonObject request)
        {
            if (request["ports"] is JsonArray ports)
            {
                request["ports"] = Distinct(ports);
            }

            if (request["readinessProbe"] is JsonObject probe)
            {
                MendProbe(probe);
            }
        }

        return JsonSerializer.SerializeToUtf8Bytes(root, MeshJson.Options);
    }

    /// <summary>Without what stands there twice, and no more than a registration may have.</summary>
    private static JsonArray Distinct(JsonArray ports)
    {
        var kept = new List<JsonObject>();
        foreach (var port in ports.OfType<JsonObject>())
        {
            var (name, place) = (Text(port, "name"), Place(port));
            if (name is not null && kept.Any(other => Text(other, "name") == name))
            {
                continue;
            }

            var same = kept.FindIndex(other => Place(other) == place && (name is null || Text(other, "name") is null));
            if (same < 0)
            {
                kept.Add(port);
            }
            else if (name is not null)
            {
                kept[same] = port; // the one with a name, by which the probe may know it
            }
        }

        return [.. kept.Take(RegistrationParser.MaxPorts).Select(port => port.DeepClone())];
    }

    private static void MendProbe(JsonObject probe)
    {
        KeepOnly(probe, [.. ProbeRules.Actions, .. ProbeRules.Numbers]);
        foreach (var (name, known) in ProbeReader.OfActions)
        {
            if (probe[name] is JsonObject action)
            {
                KeepOnly(action, known);
            }
        }

        if (probe["httpGet"] is not JsonObject http)
        {
            return;
        }

        if (Text(http, "scheme") is { } scheme)
        {
            http["scheme"] = scheme.ToUpperInvariant();
        }

        foreach (var header in http["httpHeaders"] is JsonArray headers ? headers.OfType<JsonObject>() : [])
        {
            KeepOnly(header, ProbeReader.OfHeaders);
        }
    }

    private static void KeepOnly(JsonObject node, IReadOnlyCollection<string> known)
    {
        foreach (var name in node.Select(field => field.Key).Where(name => !known.Contains(name)).ToList())
        {
            node.Remove(name);
        }
    }

    private static (string Number, string Protocol) Place(JsonObject port) =>
        (port["containerPort"]?.ToString() ?? "", Text(port, "protocol") ?? "TCP");

    private static string? Text(JsonObject node, string name) =>
        node[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
