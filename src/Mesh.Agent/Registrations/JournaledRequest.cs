using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Core.Pods;

namespace Mesh.Agent.Registrations;

/// <summary>
/// Reads a registration that an earlier build took on: as it wrote it to the journal, and as its process sends it again when
/// its stream comes back. What this build would refuse of a new one must not end a Pod that lives: it is left out here, as
/// it meant nothing to the earlier build.
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

        try
        {
            if (root is JsonObject request)
            {
                Mend(request);
            }

            return JsonSerializer.SerializeToUtf8Bytes(root, MeshJson.Options);
        }
        catch (Exception unusable) when (unusable is ArgumentException or InvalidOperationException)
        {
            throw new FormatException($"The body cannot be used: {unusable.Message}", unusable); // a field that stands there twice
        }
    }

    private static void Mend(JsonObject request)
    {
        var renamed = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        if (request["ports"] is JsonArray ports)
        {
            DropNames(ports, renamed);
            request["ports"] = Distinct(ports);
        }

        if (request["readinessProbe"] is JsonObject probe)
        {
            MendProbe(probe, renamed);
        }
    }

    /// <summary>A port whose name is none any more loses it; a probe that goes by that name then goes by its number.</summary>
    private static void DropNames(JsonArray ports, Dictionary<string, JsonNode> renamed)
    {
        foreach (var port in ports.OfType<JsonObject>())
        {
            if (Text(port, "name") is { } name && !NameRules.IsPortName(name))
            {
                port.Remove("name");
                if (port["containerPort"] is { } number)
                {
                    renamed.TryAdd(name, number);
                }
            }
        }
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

    private static void MendProbe(JsonObject probe, Dictionary<string, JsonNode> renamed)
    {
        KeepOnly(probe, [.. ProbeRules.Actions, .. ProbeRules.Numbers]);
        foreach (var (name, known) in ProbeReader.OfActions)
        {
            if (probe[name] is JsonObject action)
            {
                KeepOnly(action, known);
                if (Text(action, "port") is { } port && renamed.TryGetValue(port, out var number))
                {
                    action["port"] = number.DeepClone();
                }
            }
        }

        if (probe["httpGet"] is not JsonObject http)
        {
            return;
        }

        // Whatever was not HTTPS was asked for by HTTP.
        if (Text(http, "scheme") is { } scheme)
        {
            http["scheme"] = scheme.Equals("https", StringComparison.OrdinalIgnoreCase) ? "HTTPS" : "HTTP";
        }

        foreach (var header in http["httpHeaders"] is JsonArray headers ? headers.OfType<JsonObject>().ToList() : [])
        {
            KeepOnly(header, ProbeReader.OfHeaders);
            if (!ProbeRules.IsHeaderName(Text(header, "name")))
            {
                header.Parent!.AsArray().Remove(header);
            }
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
