using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;

namespace Mesh.ApiServer.Documents;

/// <summary>One protobuf message being written (protobuf.dev/programming-guides/encoding); what is not set is left out.</summary>
internal sealed class ProtobufMessage
{
    private const int Varint = 0;

    private const int LengthDelimited = 2;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    public void Text(int field, JsonNode? text)
    {
        if (text.AsText() is { } value)
        {
            Text(field, value);
        }
    }

    public void Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    public void Texts(int field, JsonNode? texts)
    {
        foreach (var text in texts.AsList())
        {
            Text(field, text);
        }
    }

    public void Flag(int field, JsonNode? flag)
    {
        if (flag is JsonValue value && value.TryGetValue<bool>(out var isSet) && isSet)
        {
            Number((uint)(field << 3) | Varint);
            Number(1);
        }
    }

    public void Message(int field, ProtobufMessage message) => Bytes(field, message._bytes.WrittenSpan);

    private void Bytes(int field, ReadOnlySpan<byte> bytes)
    {
        Number((uint)(field << 3) | LengthDelimited);
        Number((uint)bytes.Length);
        _bytes.Write(bytes);
    }

    private void Number(uint value)
    {
        Span<byte> buffer = stackalloc byte[5];
        var length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            buffer[length++] = (byte)(value | 0x80);
        }

        buffer[length++] = (byte)value;
        _bytes.Write(buffer[..length]);
    }
}
