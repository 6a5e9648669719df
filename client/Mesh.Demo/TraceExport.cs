using Google.Protobuf;

namespace Mesh.Demo;

/// <summary>
/// An <c>ExportTraceServiceRequest</c> of OTLP, of which only what the demo shows is read. The numbers of the fields are those of
/// opentelemetry-proto, which never change: <c>trace/v1/trace.proto</c>, <c>resource/v1/resource.proto</c>, <c>common/v1/common.proto</c>.
/// </summary>
internal static class TraceExport
{
    /// <exception cref="InvalidProtocolBufferException">It is none.</exception>
    public static IReadOnlyList<ReceivedSpan> Read(byte[] request)
    {
        var spans = new List<ReceivedSpan>();
        foreach (var resourceSpans in Parts(request, field: 1))
        {
            var service = Parts(resourceSpans, 1).Select(ServiceName).LastOrDefault("");
            spans.AddRange(
                from scopeSpans in Parts(resourceSpans, 2)
                from span in Parts(scopeSpans, 2)
                select new ReceivedSpan(Hex(span, 1), Hex(span, 2), Hex(span, 4), service, Text(span, 5)));
        }

        return spans;
    }

    /// <summary>Of a resource: the value of its attribute <c>service.name</c>.</summary>
    private static string ServiceName(byte[] resource) =>
        Parts(resource, 1).Where(attribute => Text(attribute, 1) == "service.name").SelectMany(attribute => Parts(attribute, 2)).Select(value => Text(value, 1)).LastOrDefault("");

    private static string Hex(byte[] message, int field) => Convert.ToHexStringLower(Parts(message, field).LastOrDefault([]));

    private static string Text(byte[] message, int field) => System.Text.Encoding.UTF8.GetString(Parts(message, field).LastOrDefault([]));

    /// <summary>Each value of one field that is a message, a string or bytes; every other field is passed over.</summary>
    private static List<byte[]> Parts(byte[] message, int field)
    {
        var parts = new List<byte[]>();
        using var reader = new CodedInputStream(message);
        while (reader.ReadTag() is var tag and not 0)
        {
            if (tag == WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited))
            {
                parts.Add(reader.ReadBytes().ToByteArray());
            }
            else
            {
                reader.SkipLastField();
            }
        }

        return parts;
    }
}
