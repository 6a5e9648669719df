using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Mesh.ApiServer.Errors;
using Mesh.Core.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Mesh.ApiServer.Documents;

/// <summary>
/// Turns a YAML body into the JSON that it means, event by event: no tree is built, aliases are refused (they multiply,
/// CVE-2019-11253), and a key that comes twice stays twice, for the JSON reader to notice.
/// </summary>
internal sealed class YamlReader : IDisposable
{
    public const string MediaType = "application/yaml";

    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly Utf8JsonWriter _writer;

    // What comes next in each open mapping and list.
    private readonly Stack<Next> _open = new();

    private YamlReader()
    {
        _writer = new Utf8JsonWriter(_output, MeshJson.Unchecked);
    }

    public static Outcome<byte[]> Read(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            return ApiStatus.BadRequest("the body is not valid UTF-8");
        }

        try
        {
            using var reader = new YamlReader();
            return reader.Convert(new Parser(new StringReader(Encoding.UTF8.GetString(body.Span))));
        }
        catch (YamlException malformed)
        {
            return ApiStatus.BadRequest($"the body is not valid YAML: {malformed.Message}");
        }
    }

    public void Dispose() => _writer.Dispose();

    private Outcome<byte[]> Convert(Parser parser)
    {
        var documents = 0;
        while (parser.MoveNext())
        {
            documents += parser.Current is DocumentStart ? 1 : 0;
            if ((documents > 1 ? "it has more than one document" : Write(parser.Current!)) is { } problem)
            {
                return ApiStatus.BadRequest($"the body is not YAML that is accepted: {problem}");
            }
        }

        _writer.Flush();
        return _output.WrittenSpan.ToArray();
    }

    /// <summary>What is wrong, null when it is written.</summary>
    private string? Write(ParsingEvent told)
    {
        switch (told)
        {
            case AnchorAlias:
                return "aliases are not accepted; write the value out";
            case Scalar scalar:
                return WriteScalar(scalar);
            case MappingStart or SequenceStart when IsNext(Next.Key):
                return "a key is text";
            case MappingStart or SequenceStart when _open.Count == ApiJson.MaxDepth:
                return $"it is nested deeper than {ApiJson.MaxDepth}";
            case MappingStart:
                _writer.WriteStartObject();
                _open.Push(Next.Key);
                return null;
            case SequenceStart:
                _writer.WriteStartArray();
                _open.Push(Next.Item);
                return null;
            case MappingEnd:
                _writer.WriteEndObject();
                _open.Pop();
                Turn(Next.Value, Next.Key);
                return null;
            case SequenceEnd:
                _writer.WriteEndArray();
                _open.Pop();
                Turn(Next.Value, Next.Key);
                return null;
            default:
                return null; // start and end of stream and document, comments
        }
    }

    private string? WriteScalar(Scalar scalar)
    {
        if (!scalar.Tag.IsEmpty)
        {
            return $"the tag {scalar.Tag} is not accepted";
        }

        if (IsNext(Next.Key))
        {
            _writer.WritePropertyName(scalar.Value);
            Turn(Next.Key, Next.Value);
            return null;
        }

        YamlScalar.Write(_writer, scalar);
        Turn(Next.Value, Next.Key);
        return null;
    }

    private bool IsNext(Next next) => _open.TryPeek(out var top) && top == next;

    private void Turn(Next from, Next to)
    {
        if (IsNext(from))
        {
            _open.Pop();
            _open.Push(to);
        }
    }

    private enum Next
    {
        Key,
        Value,
        Item,
    }
}
