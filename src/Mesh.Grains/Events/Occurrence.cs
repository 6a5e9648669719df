using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Grains.Pods;

namespace Mesh.Grains.Events;

/// <summary>Something that happened to an object. What is told of one object in the same words is one Event with a count.</summary>
internal sealed record Occurrence(ObjectKey About, string AboutUid, bool IsWarning, string Reason, string Message)
{
    /// <summary>As Kubernetes bounds an Event's note.</summary>
    private const int LongestMessage = 1024;

    // An object's name has 253 characters at most; the Event's name adds a dot and 16 digits.
    private const int LongestAbout = 253 - 17;

    public static Occurrence Of(ObjectKey about, string uid, bool isWarning, string reason, string message) =>
        new(about, uid, isWarning, reason, message.Length > LongestMessage ? message[..LongestMessage] : message);

    /// <summary>The Event's own key follows from what it tells, so every silo counts in the same object.</summary>
    public ObjectKey Key
    {
        get
        {
            var ns = About.Namespace.Length > 0 ? About.Namespace : "default";
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', AboutUid, Type, Reason, Message)));
            var about = About.Name.Length > LongestAbout ? About.Name[..LongestAbout].TrimEnd('.', '-') : About.Name;
            return Kinds.Event(NamespacedName.Of(ns, $"{about}.{Convert.ToHexStringLower(hash.AsSpan(0, 8))}"));
        }
    }

    private string Type => IsWarning ? "Warning" : "Normal";

    /// <summary>Whether the Event of this name tells of the same thing: a user may have made another.</summary>
    public bool IsIn(ReadOnlyMemory<byte> document) =>
        StoredFields.Text(document, "involvedObject", "uid") == AboutUid
        && StoredFields.Text(document, "reason") == Reason
        && StoredFields.Text(document, "message") == Message;

    public static ReadOnlyMemory<byte> Counted(ReadOnlyMemory<byte> document, Times times)
    {
        var known = StoredFields.Open(document);
        known["count"] = (known["count"] is JsonValue count && count.TryGetValue(out int told) ? told : 1) + times.Count;
        known["lastTimestamp"] = StoredFields.Time(times.Last);
        return StoredFields.Close(known);
    }

    public ReadOnlyMemory<byte> Document(string uid, Times times) => StoredFields.Close(new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Event",
        ["metadata"] = new JsonObject
        {
            ["name"] = Key.Name,
            ["namespace"] = Key.Namespace,
            ["uid"] = uid,
            ["creationTimestamp"] = StoredFields.Time(times.First),
        },
        ["involvedObject"] = new JsonObject
        {
            ["apiVersion"] = About.Group.Length == 0 ? "v1" : About.Group + "/v1",
            ["kind"] = About.Kind,
            ["namespace"] = About.Namespace.Length == 0 ? null : About.Namespace,
            ["name"] = About.Name,
            ["uid"] = AboutUid,
        },
        ["type"] = Type,
        ["reason"] = Reason,
        ["message"] = Message,
        ["count"] = times.Count,
        ["firstTimestamp"] = StoredFields.Time(times.First),
        ["lastTimestamp"] = StoredFields.Time(times.Last),
        ["source"] = new JsonObject { ["component"] = "mesh" },
        ["reportingComponent"] = "mesh.internal",
        ["reportingInstance"] = "",
    });
}

/// <summary>How often and when it happened since it was last written.</summary>
internal readonly record struct Times(int Count, DateTimeOffset First, DateTimeOffset Last);
