using System.Text.Json;
using Mesh.Client.Names;

namespace Mesh.Client;

/// <summary>The bodies of the registration protocol (documented in docs/sdk.md).</summary>
internal static class RegistrationProtocol
{
    /// <summary>The sentence of a Status; null for what is none (the page of some other server is nothing to log).</summary>
    public static string? Message(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var status = JsonDocument.Parse(text);
            return Text(status.RootElement, "message") is { Length: > 0 } sentence ? sentence : null;
        }
        catch (Exception malformed) when (IsMalformed(malformed))
        {
            return null;
        }
    }

    /// <summary>What <c>/v1/services</c> lists; nothing for what is no such list.</summary>
    public static IReadOnlyList<MeshService> Services(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var list = JsonDocument.Parse(text);
            var items = Child(list.RootElement, "items");
            return items.ValueKind != JsonValueKind.Array ? [] :
            [
                .. items.EnumerateArray().Select(item => new MeshService(Text(item, "namespace"), Text(item, "name"), Text(item, "clusterIP"), Number(item, "port"))),
            ];
        }
        catch (Exception malformed) when (IsMalformed(malformed))
        {
            return [];
        }
    }

    public sealed record Registration(
        IReadOnlyDictionary<string, string> Labels,
        IReadOnlyDictionary<string, string> Annotations,
        IReadOnlyList<Port> Ports,
        string Address,
        bool Ready);

    public sealed record Port(string Name, int ContainerPort);

    /// <summary>A merge patch: null removes.</summary>
    public sealed record Patch(IReadOnlyDictionary<string, string?> Labels, IReadOnlyDictionary<string, string?> Annotations, bool Ready);

    /// <summary>One line of the answer. Whatever answers there may be no node, so what is not understood is said, not thrown.</summary>
    public abstract record Line
    {
        private Line()
        {
        }

        public static Line Parse(ReadOnlyMemory<byte> text)
        {
            try
            {
                using var document = JsonDocument.Parse(text);
                var body = Child(document.RootElement, "object");
                return Text(document.RootElement, "type") switch
                {
                    "ADDED" or "MODIFIED" => Pod.From(body, isEnded: false),
                    "DELETED" => Pod.From(body, isEnded: true),
                    "ERROR" => new Status(Number(body, "code"), Text(body, "message")),
                    var type => new Foreign($"a line of type '{type}'"),
                };
            }
            catch (Exception malformed) when (IsMalformed(malformed))
            {
                return new Foreign(malformed.Message);
            }
        }

        public sealed record Pod(PodIdentity Identity, bool IsReady, bool IsDeleting, bool IsEnded) : Line
        {
            public static Line From(JsonElement pod, bool isEnded)
            {
                var metadata = Child(pod, "metadata");
                var status = Child(pod, "status");
                var uid = Text(metadata, "uid");
                if (uid.Length == 0)
                {
                    return new Foreign("a Pod without uid");
                }

                if (!AddressText.TryParse(Text(status, "podIP"), out var address))
                {
                    return new Foreign("a Pod without an IP address");
                }

                var identity = new PodIdentity
                {
                    Namespace = Text(metadata, "namespace"),
                    Name = Text(metadata, "name"),
                    Uid = uid,
                    Node = Text(Child(pod, "spec"), "nodeName"),
                    Address = address,
                };
                return new Pod(identity, IsTrue(Child(status, "conditions")), isEnded || Text(metadata, "deletionTimestamp").Length > 0, isEnded);
            }

            private static bool IsTrue(JsonElement conditions) =>
                conditions.ValueKind == JsonValueKind.Array
                && conditions.EnumerateArray().Any(condition => Text(condition, "type") == "Ready" && Text(condition, "status") == "True");
        }

        /// <summary>An error that ends the stream.</summary>
        public sealed record Status(int Code, string Message) : Line;

        public sealed record Foreign(string What) : Line;
    }

    /// <summary>Text that is no Unicode is only found when it is read, and is then an invalid operation.</summary>
    private static bool IsMalformed(Exception failure) => failure is JsonException or InvalidOperationException;

    private static JsonElement Child(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    private static string Text(JsonElement element, string name) =>
        Child(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";

    private static int Number(JsonElement element, string name) =>
        Child(element, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) ? value : 0;
}
