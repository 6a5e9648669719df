using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;

namespace Mesh.ApiServer.Patching;

/// <summary>JSON Patch (RFC 6902): operations in order, all or none.</summary>
internal static class JsonPatch
{
    public const int MaxOperations = 10_000;

    // A copy can double the document (CVE-2019-1002100): what copies add together has a limit of its own.
    private const long MaxCopiedBytes = ApiOptions.MaxBodyBytes;

    private static readonly string TooDeep = $"the patched document would be deeper than {ApiJson.MaxDepth}";

    public static Outcome<JsonObject> Apply(JsonObject document, JsonArray operations)
    {
        if (operations.Count > MaxOperations)
        {
            return ApiStatus.TooLarge($"The allowed maximum operations in a JSON patch is {MaxOperations}, got {operations.Count}");
        }

        JsonNode? root = document;
        var copied = 0L;
        foreach (var operation in operations)
        {
            if (operation.At("op").AsText() == "copy"
                && JsonPointer.Parse(operation.At("from").AsText()) is { } source
                && source.TryFind(root, out var copy))
            {
                copied += copy?.ToUtf8().Length ?? 4;
                if (copied > MaxCopiedBytes)
                {
                    return ApiStatus.TooLarge("the copies of a JSON patch are too large together");
                }
            }

            if (Apply(ref root, operation) is { } error)
            {
                return ApiStatus.InvalidOption("patch", error);
            }
        }

        return root is JsonObject patched ? patched : ApiStatus.InvalidOption("patch", "the patched document is not an object");
    }

    /// <summary>What is wrong with the operation, null when it was done.</summary>
    private static string? Apply(ref JsonNode? root, JsonNode? operation)
    {
        var op = operation.At("op").AsText();
        if (JsonPointer.Parse(operation.At("path").AsText()) is not { } path)
        {
            return "an operation has no valid \"path\"";
        }

        var hasValue = operation is JsonObject json && json.ContainsKey("value");
        var value = operation.At("value");
        var shown = operation.At("path").AsText();
        return op switch
        {
            "add" or "replace" or "test" when !hasValue => $"{op} {shown}: missing value",
            "add" => Add(ref root, path, value?.DeepClone()),
            "remove" => Remove(ref root, path),
            "replace" => path.TryFind(root, out _) ? Replace(ref root, path, value?.DeepClone()) : $"replace {shown}: there is nothing",
            "test" => path.TryFind(root, out var there) && JsonNode.DeepEquals(there, value) ? null : $"testing path {shown} value failed",
            "move" or "copy" => Carry(ref root, op == "move", path, JsonPointer.Parse(operation.At("from").AsText())),
            _ => $"unexpected operation \"{op}\"",
        };
    }

    private static string? Carry(ref JsonNode? root, bool isMove, JsonPointer path, JsonPointer? from)
    {
        if (from is null || !from.TryFind(root, out var value))
        {
            return "\"from\" names nothing";
        }

        if (!isMove)
        {
            return Add(ref root, path, value?.DeepClone());
        }

        if (path.IsInside(from))
        {
            return "a value cannot be moved into itself";
        }

        return Remove(ref root, from) ?? Add(ref root, path, value);
    }

    private static string? Add(ref JsonNode? root, JsonPointer path, JsonNode? value)
    {
        if (IsTooDeep(path, value))
        {
            return TooDeep;
        }

        if (path.IsRoot)
        {
            root = value;
            return null;
        }

        switch (path.FindParent(root))
        {
            case JsonObject parent:
                parent[path.Last] = value;
                return null;
            case JsonArray list when path.Last == "-":
                list.Add(value);
                return null;
            case JsonArray list when JsonPointer.Index(path.Last) is { } index && index <= list.Count:
                list.Insert(index, value);
                return null;
            default:
                return $"add: there is no place for \"{path.Last}\"";
        }
    }

    private static string? Replace(ref JsonNode? root, JsonPointer path, JsonNode? value)
    {
        if (IsTooDeep(path, value))
        {
            return TooDeep;
        }

        if (path.IsRoot)
        {
            root = value;
        }
        else if (path.FindParent(root) is JsonObject parent)
        {
            parent[path.Last] = value;
        }
        else if (path.FindParent(root) is JsonArray list)
        {
            list[JsonPointer.Index(path.Last)!.Value] = value;
        }

        return null;
    }

    private static string? Remove(ref JsonNode? root, JsonPointer path)
    {
        if (path.IsRoot)
        {
            root = null;
            return null;
        }

        switch (path.FindParent(root))
        {
            case JsonObject parent when parent.Remove(path.Last):
                return null;
            case JsonArray list when JsonPointer.Index(path.Last) is { } index && index < list.Count:
                list.RemoveAt(index);
                return null;
            default:
                return $"remove: there is no \"{path.Last}\"";
        }
    }

    // Asked at every step, so that a document under patch is never deeper than one that is read: all of this recurses.
    private static bool IsTooDeep(JsonPointer path, JsonNode? value) => path.Depth + Height(value) > ApiJson.MaxDepth;

    private static int Height(JsonNode? node) => node switch
    {
        JsonObject json => 1 + json.Select(member => Height(member.Value)).DefaultIfEmpty().Max(),
        JsonArray list => 1 + list.Select(Height).DefaultIfEmpty().Max(),
        _ => 0,
    };
}
