using System.Buffers;
using System.Text.Json;
using Mesh.Core.Json;
using Mesh.Storage;

namespace Mesh.Grains.Objects;

/// <summary>Puts another value in the place of one top-level member of a document, without building the rest anew.</summary>
internal static class DocumentSplice
{
    // What is written most often, a Pod's status, is about as large.
    private const int Room = 1024;

    /// <summary>How deep what is stored may be.</summary>
    public static JsonDocumentOptions AsStored { get; } = new() { MaxDepth = StoreLimits.MaxDocumentDepth };

    /// <param name="write">Writes the value.</param>
    public static ReadOnlyMemory<byte> Replace<TState>(ReadOnlyMemory<byte> document, ReadOnlySpan<byte> member, TState state, Action<Utf8JsonWriter, TState> write)
    {
        var (start, end, isMissing) = Find(document.Span, member);
        var buffer = new ArrayBufferWriter<byte>(document.Length + Room);
        buffer.Write(document.Span[..start]);
        if (isMissing)
        {
            buffer.Write(",\""u8);
            buffer.Write(member);
            buffer.Write("\":"u8);
        }

        using (var writer = new Utf8JsonWriter(buffer, MeshJson.Unchecked))
        {
            write(writer, state);
        }

        buffer.Write(document.Span[end..]);
        return buffer.WrittenMemory;
    }

    /// <summary>Where its value is, or would be: behind the last member. No object of the API is without one.</summary>
    private static (int Start, int End, bool IsMissing) Find(ReadOnlySpan<byte> document, ReadOnlySpan<byte> member)
    {
        var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = StoreLimits.MaxDocumentDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(member);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (isIt)
            {
                return (start, (int)reader.BytesConsumed, false);
            }
        }

        return ((int)reader.TokenStartIndex, (int)reader.TokenStartIndex, true);
    }
}
