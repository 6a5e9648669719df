using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Schemas;

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

    /// <summary>The item that a patch's item is about: of several with its key the one that is like it beside the key too.</summary>
    /// <param name="order">The keys of the wanted list: when it has no more of this one than there are, an item is changed and none added.</param>
    public static int IndexOf(JsonArray items, MergeRule rule, JsonObject wanted, JsonArray? order)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (IsMeant(items[i], rule, wanted))
            {
                return i;
            }
        }

        return rule.Beside.Length > 0 && order is not null && Count(order, rule, wanted) <= Count(items, rule, wanted)
            ? IndexOf(items, rule.Key, wanted.At(rule.Key)!)
            : -1;
    }

    public static void RemoveAll(JsonArray items, MergeRule rule, JsonObject wanted)
    {
        for (var i = items.Count - 1; i >= 0; i--)
        {
            if (IsMeant(items[i], rule, wanted))
            {
                items.RemoveAt(i);
            }
        }
    }

    private static bool IsMeant(JsonNode? item, MergeRule rule, JsonObject wanted) =>
        JsonNode.DeepEquals(item.At(rule.Key), wanted.At(rule.Key))
        && (rule.Beside.Length == 0 || wanted.At(rule.Beside) is null || Beside(item, rule) == Beside(wanted, rule));

    private static int Count(JsonArray items, MergeRule rule, JsonObject wanted) =>
        items.Count(item => JsonNode.DeepEquals(item.At(rule.Key), wanted.At(rule.Key)));

    /// <summary>The second member, as it is meant.</summary>
    public static string Beside(JsonNode? item, MergeRule rule) => item.At(rule.Beside).AsText() is { Length: > 0 } text ? text : rule.BesideDefault;

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
