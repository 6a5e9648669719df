using System.Text;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

/// <summary>Sentences for the client beside its answer: <c>Warning: 299 - "…"</c> headers (RFC 7234 §5.5), which kubectl prints.</summary>
internal sealed class Warnings
{
    // All headers together stay far below what clients accept.
    private const int MaxCount = 32;

    private const int MaxLength = 256;

    private readonly List<string> _all = [];

    public void AddRange(IEnumerable<string> sentences)
    {
        foreach (var sentence in sentences)
        {
            if (_all.Count < MaxCount && !_all.Contains(sentence))
            {
                _all.Add(sentence);
            }
        }
    }

    public void WriteTo(HttpResponse response)
    {
        foreach (var sentence in _all)
        {
            response.Headers.Append("Warning", $"299 - {Quote(sentence)}");
        }
    }

    private static string Quote(string sentence)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in sentence.AsSpan(0, Math.Min(sentence.Length, MaxLength)))
        {
            // Headers carry ASCII; field names of clients may hold anything.
            _ = c switch
            {
                '"' or '\\' => quoted.Append('\\').Append(c),
                < ' ' or > '~' => quoted.Append('?'),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }
}
