using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;

namespace Mesh.ApiServer.Patching;

/// <summary>What a strategic merge patch does to lists; an empty key means a list of primitives.</summary>
internal static class ListMerge
{
    public static int IndexOf(JsonArray items, string key, JsonNode wanted)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (JsonNode.DeepEquals(KeyOf(items[i], key), wanted))
            {
                return i;
            }
        }

        return -1;
    }

    public static void RemoveAll(JsonArray items, string key, JsonNode wanted)
    {
        for (var i = items.Count - 1; i >= 0; i--)
        {
            if (JsonNode.DeepEquals(KeyOf(items[i], key), wanted))
            {
                items.RemoveAt(i);
            }
        }
    }

    public static void AddPrimitives(JsonArray items, JsonArray additions)
    {
        foreach (var addition in additions)
        {
            if (addition is not null && IndexOf(items, "", addition) < 0)
            {
                items.Add(addition.DeepClone());
            }
        }
    }

    public static void RemovePrimitives(JsonArray? items, JsonArray? removals)
    {
        foreach (var removal in removals.AsList())
        {
            if (items is not null && removal is not null)
            {
                RemoveAll(items, "", removal);
            }
        }
    }

    /// <summary>
    /// The items in the wanted order. One that the order does not name stays behind the item that it stood behind
    /// (strategicpatch, normalizeElementOrder): somebody else put it there.
    /// </summary>
    public static JsonArray Order(JsonArray items, JsonArray order, string key)
    {
        var wanted = order.Select(entry => KeyOf(entry, key)).ToList();
        var ranked = new List<(int Rank, JsonNode? Item)>();
        var last = -1;
        foreach (var item in items)
        {
            var rank = wanted.FindIndex(entry => JsonNode.DeepEquals(entry, KeyOf(item, key)));
            last = rank >= 0 ? rank : last;
            ranked.Add((last, item));
        }

        return new JsonArray([.. ranked.OrderBy(pair => pair.Rank).Select(pair => pair.Item?.DeepClone())]);
    }

    private static JsonNode? KeyOf(JsonNode? item, string key) => key.Length == 0 ? item : item.At(key);
}
