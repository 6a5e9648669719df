using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Mesh.Core.Names;

namespace Mesh.Storage;

/// <summary>
/// What the store reads from a document in one pass, and where its resourceVersion goes. No DOM is built: every other
/// byte of the document stays as it came.
/// </summary>
internal sealed class DocumentScan
{
    private const int MaxDigits = 20;

    private readonly ReadOnlyMemory<byte> _document;
    private readonly Splice _splice;

    private DocumentScan(ReadOnlyMemory<byte> document, Splice splice, string uid, bool isDeleting)
    {
        _document = document;
        _splice = splice;
        Uid = uid;
        IsDeleting = isDeleting;
    }

    public string Uid { get; }

    public bool IsDeleting { get; }

    public static bool TryRead(
        ObjectKey key, ReadOnlyMemory<byte> document, [NotNullWhen(true)] out DocumentScan? scan, [NotNullWhen(false)] out string? problem)
    {
        scan = null;
        problem = document.Length > StoreLimits.MaxDocumentBytes
            ? $"The document has {document.Length} bytes; {StoreLimits.MaxDocumentBytes} is the most that is stored."
            : null;
        if (problem is not null)
        {
            return false;
        }

        var fields = new Fields { IsNamespace = key is { Group: "", Kind: "Namespace" } };
        try
        {
            problem = fields.Read(document.Span);
        }
        catch (JsonException malformed)
        {
            problem = $"The document is not JSON: {malformed.Message}";
        }

        if (problem is null)
        {
            scan = new DocumentScan(document, fields.Splice, fields.Uid, fields.IsDeleting);
        }

        return scan is not null;
    }

    /// <summary>A copy of the document that carries this resourceVersion.</summary>
    public byte[] WithVersion(long version)
    {
        Span<byte> digits = stackalloc byte[MaxDigits];
        Utf8Formatter.TryFormat(version, digits, out var length);

        var source = _document.Span;
        var head = source[.._splice.Start];
        var tail = source[(_splice.Start + _splice.Length)..];
        var result = new byte[head.Length + _splice.Before.Length + length + _splice.After.Length + tail.Length];
        var rest = result.AsSpan();
        Append(ref rest, head);
        Append(ref rest, _splice.Before);
        Append(ref rest, digits[..length]);
        Append(ref rest, _splice.After);
        Append(ref rest, tail);
        return result;
    }

    private static void Append(ref Span<byte> rest, scoped ReadOnlySpan<byte> part)
    {
        part.CopyTo(rest);
        rest = rest[part.Length..];
    }

    /// <summary>The bytes that are replaced, and what stands around the number in their place.</summary>
    private readonly record struct Splice(int Start, int Length, byte[] Before, byte[] After)
    {
        public static Splice Replace(int start, int length) => new(start, length, "\""u8.ToArray(), "\""u8.ToArray());

        public static Splice IntoMetadata(int start, bool empty) =>
            new(start, 0, "\"resourceVersion\":\""u8.ToArray(), empty ? "\""u8.ToArray() : "\","u8.ToArray());

        public static Splice IntoRoot(int start, bool empty) =>
            new(start, 0, "\"metadata\":{\"resourceVersion\":\""u8.ToArray(), empty ? "\"}"u8.ToArray() : "\"},"u8.ToArray());
    }

    private ref struct Fields
    {
        private Splice? _splice;
        private bool _hasMetadata;

        public bool IsNamespace { get; init; }

        public string Uid { get; private set; } = "";

        public bool IsDeleting { get; private set; }

        public readonly Splice Splice => _splice!.Value;

        public Fields()
        {
        }

        /// <summary>Null, or what is wrong with the document.</summary>
        public string? Read(ReadOnlySpan<byte> document)
        {
            var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = StoreLimits.MaxDocumentDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return "The document is not a JSON object.";
            }

            var rootStart = (int)reader.BytesConsumed;
            var empty = true;
            string? problem = null;
            while (problem is null && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                empty = false;
                problem = ReadField(ref reader);
            }

            // To the end: what follows the object must be white space.
            while (problem is null && reader.Read())
            {
            }

            _splice ??= Splice.IntoRoot(rootStart, empty);
            return problem;
        }

        private string? ReadField(ref Utf8JsonReader reader)
        {
            if (reader.ValueTextEquals("metadata"u8))
            {
                reader.Read();
                if (_hasMetadata || reader.TokenType != JsonTokenType.StartObject)
                {
                    return _hasMetadata ? "The document has metadata twice." : "The document's metadata is not an object.";
                }

                _hasMetadata = true;
                return ReadMetadata(ref reader);
            }

            var isStatus = IsNamespace && reader.ValueTextEquals("status"u8);
            reader.Read();
            if (isStatus && reader.TokenType == JsonTokenType.StartObject)
            {
                ReadNamespaceStatus(ref reader);
            }
            else
            {
                reader.Skip();
            }

            return null;
        }

        private string? ReadMetadata(ref Utf8JsonReader reader)
        {
            var start = (int)reader.BytesConsumed;
            var empty = true;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                empty = false;
                var isVersion = reader.ValueTextEquals("resourceVersion"u8);
                var isUid = reader.ValueTextEquals("uid"u8);
                var isDeletion = reader.ValueTextEquals("deletionTimestamp"u8);
                reader.Read();
                if (isVersion)
                {
                    if (_splice is not null || reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null or JsonTokenType.Number))
                    {
                        return "The document's metadata.resourceVersion is not one string.";
                    }

                    var from = (int)reader.TokenStartIndex;
                    _splice = Splice.Replace(from, (int)reader.BytesConsumed - from);
                }
                else if (isUid && reader.TokenType == JsonTokenType.String)
                {
                    Uid = reader.GetString()!;
                }
                else if (isDeletion)
                {
                    IsDeleting = reader.TokenType != JsonTokenType.Null;
                }

                reader.Skip();
            }

            _splice ??= Splice.IntoMetadata(start, empty);
            return null;
        }

        private void ReadNamespaceStatus(ref Utf8JsonReader reader)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isPhase = reader.ValueTextEquals("phase"u8);
                reader.Read();
                if (isPhase && reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("Terminating"u8))
                {
                    IsDeleting = true;
                }

                reader.Skip();
            }
        }
    }
}
