using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Core.Pods;

namespace Mesh.Agent.Registrations;

/// <summary>
/// Reads the readinessProbe of a registration by the rules of the API, and writes it without what means nothing (null,
/// empty, 0), so that the stored Pod reads the same to every client.
/// </summary>
internal static class ProbeReader
{
    private const string Path = "readinessProbe";

    /// <summary>What each action that is served may say.</summary>
    public static ImmutableSortedDictionary<string, ImmutableArray<string>> OfActions { get; } = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty
        .Add("httpGet", ["path", "port", "host", "scheme", "httpHeaders"])
        .Add("tcpSocket", ["port", "host"]);

    public static ImmutableArray<string> OfHeaders { get; } = ["name", "value"];

    public static JsonElement? Read(JsonElement root)
    {
        if (StrictFields.Optional(root, Path) is not { } probe)
        {
            return null;
        }

        if (probe.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{Path}: must be an object.");
        }

        StrictFields.Only(probe, Path, [.. ProbeRules.Actions, .. ProbeRules.Numbers]);
        var action = Action(probe);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, MeshJson.Compact))
        {
            json.WriteStartObject();
            json.WriteStartObject(action);
            WriteAction(json, action, probe.GetProperty(action));
            json.WriteEndObject();
            WriteNumbers(json, probe);
            json.WriteEndObject();
        }

        using var written = JsonDocument.Parse(buffer.WrittenMemory);
        return written.RootElement.Clone();
    }

    private static string Action(JsonElement probe)
    {
        var actions = ProbeRules.Actions.Where(name => StrictFields.Optional(probe, name) is not null).ToList();
        return actions switch
        {
            ["httpGet" or "tcpSocket"] when probe.GetProperty(actions[0]).ValueKind == JsonValueKind.Object => actions[0],
            ["httpGet" or "tcpSocket"] => throw new FormatException($"{Path}.{actions[0]}: must be an object."),
            [var unserved] => throw new FormatException($"{Path}: '{unserved}' is not in this version."),
            _ => throw new FormatException($"{Path}: needs exactly one of httpGet and tcpSocket."),
        };
    }

    private static void WriteAction(Utf8JsonWriter json, string name, JsonElement action)
    {
        var path = $"{Path}.{name}";
        StrictFields.Only(action, path, OfActions[name].AsSpan());
        WritePort(json, action, path);
        WriteText(json, "host", StrictFields.Text(action, "host", path));
        if (name == "tcpSocket")
        {
            return;
        }

        var scheme = StrictFields.Text(action, "scheme", path);
        if (scheme is { Length: > 0 } && !ProbeRules.Schemes.Contains(scheme))
        {
            throw new FormatException($"{path}.scheme: '{scheme}' is not {string.Join(" or ", ProbeRules.Schemes)}.");
        }

        WriteText(json, "path", StrictFields.Text(action, "path", path));
        WriteText(json, "scheme", scheme);
        WriteHeaders(json, action, path + ".httpHeaders");
    }

    private static void WritePort(Utf8JsonWriter json, JsonElement action, string path)
    {
        var port = StrictFields.Optional(action, "port") ?? throw new FormatException($"{path}.port: is needed.");
        if (port.ValueKind == JsonValueKind.String && NameRules.IsPortName(port.GetString()))
        {
            json.WriteString("port", port.GetString());
        }
        else if (StrictFields.TryNumber(port, out var number) && number is >= 1 and <= 65535)
        {
            json.WriteNumber("port", number);
        }
        else
        {
            throw new FormatException($"{path}.port: must be a number from 1 to 65535, or the name of a port.");
        }
    }

    private static void WriteHeaders(Utf8JsonWriter json, JsonElement action, string path)
    {
        if (StrictFields.Optional(action, "httpHeaders") is not { } headers)
        {
            return;
        }

        if (headers.ValueKind != JsonValueKind.Array || headers.EnumerateArray().Any(header => header.ValueKind != JsonValueKind.Object))
        {
            throw new FormatException($"{path}: must be an array of objects.");
        }

        if (headers.GetArrayLength() == 0)
        {
            return;
        }

        json.WriteStartArray("httpHeaders");
        foreach (var (header, index) in headers.EnumerateArray().Select((header, index) => (header, index)))
        {
            var at = $"{path}[{index}]";
            StrictFields.Only(header, at, OfHeaders.AsSpan());
            var name = StrictFields.Text(header, "name", at);
            if (!ProbeRules.IsHeaderName(name))
            {
                throw new FormatException($"{at}.name: '{name}' is not the name of a header: {ProbeRules.HeaderNameText}.");
            }

            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("value", StrictFields.Text(header, "value", at) ?? "");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, JsonElement probe)
    {
        foreach (var name in ProbeRules.Numbers)
        {
            if (StrictFields.Optional(probe, name) is not { } field)
            {
                continue;
            }

            if (!StrictFields.TryNumber(field, out var number) || number < 0)
            {
                throw new FormatException($"{Path}.{name}: must be a whole number from 0 to {int.MaxValue}.");
            }

            if (number > 0)
            {
                json.WriteNumber(name, number);
            }
        }
    }

    private static void WriteText(Utf8JsonWriter json, string name, string? text)
    {
        if (text is { Length: > 0 })
        {
            json.WriteString(name, text);
        }
    }
}
