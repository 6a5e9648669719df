using System.Buffers;
using System.Text.Json;
using Mesh.Core.Json;

namespace Mesh.Grains.Objects;

/// <summary>Changes single fields of a document; every other field stays byte for byte as it came, and no DOM is built.</summary>
public static class DocumentEdit
{
    /// <summary>Applies all edits; objects on the way to a field are made when they are missing.</summary>
    public static byte[] Apply(ReadOnlyMemory<byte> document, params IReadOnlyList<FieldEdit> edits)
    {
        var buffer = new ArrayBufferWriter<byte>(document.Length + 256);
        using (var writer = new Utf8JsonWriter(buffer, MeshJson.Unchecked))
        {
            var reader = new Utf8JsonReader(document.Span);
            reader.Read();
            CopyObject(ref reader, document.Span, writer, edits, 0);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void CopyObject(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> document, Utf8JsonWriter writer, IReadOnlyList<FieldEdit> edits, int depth)
    {
        var missing = new List<FieldEdit>(edits);
        writer.WriteStartObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var here = edits.Where(edit => edit.Path[depth] == name).ToArray();
            missing.RemoveAll(edit => edit.Path[depth] == name);
            reader.Read();
            if (here.Length > 0 && (here[0].Path.Count == depth + 1 || reader.TokenType != JsonTokenType.StartObject))
            {
                reader.Skip();
                WriteNew(writer, name, here, depth);
            }
            else if (here.Length > 0)
            {
                writer.WritePropertyName(name);
                CopyObject(ref reader, document, writer, here, depth + 1);
            }
            else
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                writer.WritePropertyName(name);
                writer.WriteRawValue(document[start..(int)reader.BytesConsumed], skipInputValidation: true);
            }
        }

        foreach (var group in missing.GroupBy(edit => edit.Path[depth]))
        {
            WriteNew(writer, group.Key, [.. group], depth);
        }

        writer.WriteEndObject();
    }

    private static void WriteNew(Utf8JsonWriter writer, string name, IReadOnlyList<FieldEdit> edits, int depth)
    {
        var kept = edits.Where(edit => edit.Value is not null).ToArray();
        if (kept.Length == 0)
        {
            return;
        }

        writer.WritePropertyName(name);
        if (kept[0].Path.Count == depth + 1)
        {
            writer.WriteRawValue(kept[0].Value, skipInputValidation: true);
            return;
        }

        writer.WriteStartObject();
        foreach (var group in kept.GroupBy(edit => edit.Path[depth + 1]))
        {
            WriteNew(writer, group.Key, [.. group], depth + 1);
        }

        writer.WriteEndObject();
    }
}

/// <summary>One field and its new value as JSON; null removes it.</summary>
public sealed record FieldEdit(IReadOnlyList<string> Path, byte[]? Value)
{
    public static FieldEdit Text(string value, params IReadOnlyList<string> path) =>
        new(path, JsonSerializer.SerializeToUtf8Bytes(value, MeshJson.Options));

    public static FieldEdit Texts(IReadOnlyList<string> values, params IReadOnlyList<string> path) =>
        new(path, JsonSerializer.SerializeToUtf8Bytes(values, MeshJson.Options));

    public static FieldEdit Remove(params IReadOnlyList<string> path) => new(path, null);
}
