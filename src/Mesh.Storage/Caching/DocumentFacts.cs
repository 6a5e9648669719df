using System.Text;
using System.Text.Json;

namespace Mesh.Storage.Caching;

/// <summary>
/// What was read in one document, once for all who ask, with the texts and lists shared that many documents have alike. For
/// many threads: two that read at once read the same.
/// </summary>
internal struct DocumentFacts : IEquatable<DocumentFacts>
{
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = StoreLimits.MaxDocumentDepth };

    // Keys and values in turns.
    private string[]? _labels;
    private string[]? _fields;
    private OwnerReference[]? _owners;

    public string? Label(ReadOnlyMemory<byte> document, string key)
    {
        var labels = _labels ??= ReadLabels(document);
        return Find(labels, key) is var at and >= 0 ? labels[at + 1] : null;
    }

    public string Field(ReadOnlyMemory<byte> document, string path)
    {
        var fields = _fields ?? [];
        if (Find(fields, path) is var at and >= 0)
        {
            return fields[at + 1];
        }

        var value = ReadField(document, path);
        _fields = SharedTexts.Share([.. fields, path, value]); // whoever is overtaken here reads its field again
        return value;
    }

    public IReadOnlyList<OwnerReference> Owners(ReadOnlyMemory<byte> document) => _owners ??= ReadOwners(document);

    /// <summary>What was read of an object makes it no other object.</summary>
    public readonly bool Equals(DocumentFacts other) => true;

    public override readonly bool Equals(object? obj) => obj is DocumentFacts;

    public override readonly int GetHashCode() => 0;

    private static int Find(string[] pairs, string key)
    {
        for (var i = 0; i < pairs.Length; i += 2)
        {
            if (pairs[i] == key)
            {
                return i;
            }
        }

        return -1;
    }

    private static string[] ReadLabels(ReadOnlyMemory<byte> document)
    {
        var reader = new Utf8JsonReader(document.Span, Deep);
        if (!DocumentPath.TryEnter(ref reader, ["metadata", "labels"]) || reader.TokenType != JsonTokenType.StartObject)
        {
            return [];
        }

        var labels = new List<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = SharedTexts.Read(ref reader);
            reader.Read();
            if (reader.TokenType == JsonTokenType.String)
            {
                labels.Add(key);
                labels.Add(SharedTexts.Read(ref reader));
            }

            reader.Skip();
        }

        return SharedTexts.Share([.. labels]);
    }

    private static OwnerReference[] ReadOwners(ReadOnlyMemory<byte> document)
    {
        var reader = new Utf8JsonReader(document.Span, Deep);
        if (document.Span.IndexOf("\"ownerReferences\""u8) < 0
            || !DocumentPath.TryEnter(ref reader, ["metadata", "ownerReferences"]) || reader.TokenType != JsonTokenType.StartArray)
        {
            return [];
        }

        var owners = new List<OwnerReference>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                owners.Add(ReadOwner(ref reader));
            }

            reader.Skip();
        }

        return [.. owners];
    }

    private static OwnerReference ReadOwner(ref Utf8JsonReader reader)
    {
        var owner = new OwnerReference("", "", "", "", Blocks: false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = SharedTexts.Read(ref reader);
            reader.Read();
            var text = reader.TokenType == JsonTokenType.String ? SharedTexts.Read(ref reader) : "";
            owner = field switch
            {
                "apiVersion" => owner with { ApiVersion = text },
                "kind" => owner with { Kind = text },
                "name" => owner with { Name = text },
                "uid" => owner with { Uid = text },
                "blockOwnerDeletion" => owner with { Blocks = reader.TokenType == JsonTokenType.True },
                _ => owner,
            };
            reader.Skip();
        }

        return owner;
    }

    private static string ReadField(ReadOnlyMemory<byte> document, string path)
    {
        var reader = new Utf8JsonReader(document.Span, Deep);
        return !DocumentPath.TryEnter(ref reader, path.Split('.')) ? "" : reader.TokenType switch
        {
            JsonTokenType.String => SharedTexts.Read(ref reader),
            JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            _ => "",
        };
    }
}
