using System.Text.Json;

namespace Mesh.Storage;

/// <summary>Goes to one value of a document by the names of its members, past everything else.</summary>
public static class DocumentPath
{
    /// <summary>True when the reader, which has read nothing yet, stands on the value at the path.</summary>
    public static bool TryEnter(ref Utf8JsonReader reader, scoped ReadOnlySpan<string> path)
    {
        if (!reader.Read())
        {
            return false;
        }

        foreach (var name in path)
        {
            if (!TryEnterMember(ref reader, name))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryEnterMember(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(name);
            reader.Read();
            if (found)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }
}
