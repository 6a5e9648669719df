using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace Mesh.Hosting.Logging;

/// <summary>
/// JSON that people read: quotes, plus signs and letters of every language stay as they are, so that a command in a
/// message can be pasted. Escaped is what moves a terminal's cursor, ends a line, or turns the direction of the text.
/// </summary>
internal sealed unsafe class LogEncoder : JavaScriptEncoder
{
    public static readonly LogEncoder Instance = new();

    private static readonly JavaScriptEncoder Relaxed = UnsafeRelaxedJsonEscaping;

    private LogEncoder()
    {
    }

    public override int MaxOutputCharactersPerInputCharacter => Relaxed.MaxOutputCharactersPerInputCharacter;

    public override bool WillEncode(int unicodeScalar) => Relaxed.WillEncode(unicodeScalar) || TurnsDirection(unicodeScalar);

    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        var first = Relaxed.FindFirstCharacterToEncode(text, textLength);
        var clean = new ReadOnlySpan<char>(text, first < 0 ? textLength : first);
        var turn = Ascii.IsValid(clean) ? -1 : FindTurn(clean);
        return turn >= 0 ? turn : first;
    }

    public override int FindFirstCharacterToEncodeUtf8(ReadOnlySpan<byte> utf8Text)
    {
        var first = Relaxed.FindFirstCharacterToEncodeUtf8(utf8Text);
        var clean = first < 0 ? utf8Text : utf8Text[..first];
        var turn = Ascii.IsValid(clean) ? -1 : FindTurn(clean);
        return turn >= 0 ? turn : first;
    }

    public override bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten) =>
        TurnsDirection(unicodeScalar)
            ? new Span<char>(buffer, bufferLength).TryWrite(CultureInfo.InvariantCulture, $"\\u{unicodeScalar:X4}", out numberOfCharactersWritten)
            : Relaxed.TryEncodeUnicodeScalar(unicodeScalar, buffer, bufferLength, out numberOfCharactersWritten);

    /// <summary>The controls of direction (UAX #9): what stands on a screen would not be what stands in the file.</summary>
    public static bool TurnsDirection(int scalar) =>
        scalar is 0x061C or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);

    private static int FindTurn(ReadOnlySpan<char> clean)
    {
        for (var i = 0; i < clean.Length; i++)
        {
            if (TurnsDirection(clean[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private static int FindTurn(ReadOnlySpan<byte> clean)
    {
        for (var i = 0; i < clean.Length;)
        {
            Rune.DecodeFromUtf8(clean[i..], out var rune, out var length);
            if (TurnsDirection(rune.Value))
            {
                return i;
            }

            i += length;
        }

        return -1;
    }
}
