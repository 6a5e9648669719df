using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Resources;
using Mesh.Core.Clocks;
using Mesh.Storage;

namespace Mesh.ApiServer.Printing;

/// <summary>Writes objects of one kind in one form. Documents are written as they are stored, byte for byte.</summary>
internal sealed class Presenter(Resource resource, Representation form, TimeProvider time)
{
    private const string MetaVersion = "meta.k8s.io/v1";

    public void WriteObject(Utf8JsonWriter writer, ReadOnlyMemory<byte> document, bool withColumns = true)
    {
        switch (form)
        {
            case Representation.Whole:
                WriteWhole(writer, document);
                break;
            case Representation.MetadataOnly:
                WriteMetadataOnly(writer, document);
                break;
            case Representation.Rows rows:
                var version = VersionOf(document);
                WriteTableStart(writer, version, withColumns);
                WriteRow(writer, document, rows.Include);
                WriteTableEnd(writer);
                break;
            default:
                throw new UnreachableException();
        }
    }

    public void WriteListStart(Utf8JsonWriter writer, long version, string continueToken, int? remaining)
    {
        writer.WriteStartObject();
        var (kind, apiVersion) = form switch
        {
            Representation.Whole => (resource.ListKind, resource.ApiVersion),
            Representation.MetadataOnly => ("PartialObjectMetadataList", MetaVersion),
            Representation.Rows => ("Table", MetaVersion),
            _ => throw new UnreachableException(),
        };
        writer.WriteString("kind", kind);
        writer.WriteString("apiVersion", apiVersion);
        writer.WriteStartObject("metadata");
        writer.WriteString("resourceVersion", version.ToString(CultureInfo.InvariantCulture));
        if (continueToken.Length > 0)
        {
            writer.WriteString("continue", continueToken);
            if (remaining is { } count)
            {
                writer.WriteNumber("remainingItemCount", count);
            }
        }

        writer.WriteEndObject();
        if (form is Representation.Rows)
        {
            WriteColumns(writer);
        }

        writer.WriteStartArray(form is Representation.Rows ? "rows" : "items");
    }

    public void WriteListItem(Utf8JsonWriter writer, StoredObject stored)
    {
        switch (form)
        {
            case Representation.Whole:
                WriteWhole(writer, stored.Document);
                break;
            case Representation.MetadataOnly:
                WriteMetadataOnly(writer, stored.Document);
                break;
            case Representation.Rows rows:
                WriteRow(writer, stored.Document, rows.Include);
                break;
            default:
                throw new UnreachableException();
        }
    }

    public static void WriteListEnd(Utf8JsonWriter writer)
    {
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>An object that tells nothing but how far a watch has come.</summary>
    public void WriteBookmark(Utf8JsonWriter writer, long version, bool endsInitialEvents)
    {
        var text = version.ToString(CultureInfo.InvariantCulture);
        if (form is Representation.Rows)
        {
            WriteTableStart(writer, text, withColumns: false);
            WriteTableEnd(writer);
            return;
        }

        var isWhole = form is Representation.Whole;
        writer.WriteStartObject();
        writer.WriteString("kind", isWhole ? resource.Kind : "PartialObjectMetadata");
        writer.WriteString("apiVersion", isWhole ? resource.ApiVersion : MetaVersion);
        writer.WriteStartObject("metadata");
        writer.WriteString("resourceVersion", text);
        if (endsInitialEvents)
        {
            writer.WriteStartObject("annotations");
            writer.WriteString("k8s.io/initial-events-end", "true");
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private void WriteTableStart(Utf8JsonWriter writer, string version, bool withColumns)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", "Table");
        writer.WriteString("apiVersion", MetaVersion);
        writer.WriteStartObject("metadata");
        writer.WriteString("resourceVersion", version);
        writer.WriteEndObject();
        if (withColumns)
        {
            WriteColumns(writer);
        }
        else
        {
            writer.WriteNull("columnDefinitions"); // a watch tells the columns once
        }

        writer.WriteStartArray("rows");
    }

    private static void WriteTableEnd(Utf8JsonWriter writer)
    {
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WriteColumns(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("columnDefinitions");
        foreach (var column in resource.Columns)
        {
            writer.WriteStartObject();
            writer.WriteString("name", column.Name);
            writer.WriteString("type", column.Type);
            writer.WriteString("format", column.Format);
            writer.WriteString("description", "");
            writer.WriteNumber("priority", column.IsWide ? 1 : 0);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteRow(Utf8JsonWriter writer, ReadOnlyMemory<byte> document, RowObject include)
    {
        using var parsed = JsonDocument.Parse(document);
        writer.WriteStartObject();
        writer.WriteStartArray("cells");
        foreach (var cell in resource.Cells(parsed.RootElement, WallClock.Now(time)))
        {
            writer.WriteStringValue(cell);
        }

        writer.WriteEndArray();
        if (include == RowObject.Whole)
        {
            writer.WritePropertyName("object");
            WriteWhole(writer, document);
        }
        else if (include == RowObject.Metadata)
        {
            writer.WritePropertyName("object");
            WriteMetadata(writer, parsed.RootElement);
        }

        writer.WriteEndObject();
    }

    /// <summary>As stored; what an earlier version escaped without need is written plain, as some readers want it (<see cref="Core.Json.MeshJson"/>).</summary>
    private static void WriteWhole(Utf8JsonWriter writer, ReadOnlyMemory<byte> document)
    {
        if (document.Span.IndexOf("\\u00"u8) < 0)
        {
            writer.WriteRawValue(document.Span, skipInputValidation: true);
            return;
        }

        using var parsed = JsonDocument.Parse(document);
        parsed.RootElement.WriteTo(writer);
    }

    private static void WriteMetadataOnly(Utf8JsonWriter writer, ReadOnlyMemory<byte> document)
    {
        using var parsed = JsonDocument.Parse(document);
        WriteMetadata(writer, parsed.RootElement);
    }

    private static void WriteMetadata(Utf8JsonWriter writer, JsonElement root)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", "PartialObjectMetadata");
        writer.WriteString("apiVersion", MetaVersion);
        writer.WritePropertyName("metadata");
        if (root.At("metadata").ValueKind == JsonValueKind.Object)
        {
            root.At("metadata").WriteTo(writer);
        }
        else
        {
            writer.WriteNullValue();
        }

        writer.WriteEndObject();
    }

    private static string VersionOf(ReadOnlyMemory<byte> document)
    {
        using var parsed = JsonDocument.Parse(document);
        return parsed.RootElement.At("metadata", "resourceVersion").Text();
    }
}
