using System.Text;
using Xunit;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>The requests of the reliability reference §2.1 to §2.3, H145 to H147 and §2.6, as bytes in Latin-1.</summary>
internal static class HostileRequests
{
    /// <summary>A request that nobody may ever see as one; 42 bytes.</summary>
    public const string Smuggled = "GET /SMUGGLED HTTP/1.1\r\nHost: app.test\r\n\r\n";

    private const string Head = "POST / HTTP/1.1\r\nHost: app.test\r\n";
    private const string Chunked = "Transfer-Encoding: chunked\r\n";

    /// <summary>What chunk extensions and trailers of the accepted requests say; no endpoint may see it, least of all as a header.</summary>
    public static readonly string[] OfTrailersAndExtensions = ["a=", "X-T:", "gzip", "evil.test", "Authorization", "6.6.6.6"];

    /// <summary>Refused by the head alone: the statuses allowed, and not a byte for an endpoint.</summary>
    public static IEnumerable<TheoryDataRow<string, string, int[]>> RefusedHeads() =>
    [
        Row("REL-H004", Post("Content-Length: 47\r\n" + Chunked, "0\r\n\r\n" + Smuggled)),
        Row("REL-H005", Post(Chunked + "Content-Length: 4\r\n", "2a\r\n" + Smuggled + "\r\n0\r\n\r\n")),
        Row("REL-H006", Post("Content-Length: 0\r\n" + Chunked, "0\r\n\r\n" + Smuggled)),
        Row("REL-H007", Post("Content-Length: 0\r\nContent-Length: 42\r\n", Smuggled)),
        Row("REL-H008", Post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")),
        Row("REL-H009", Post("Content-Length: 3, 3\r\n", "abc")),
        Row("REL-H010", Post("Content-Length: 0, 42\r\n", Smuggled)),
        .. Each("REL-H", 11, ["+3", "-3", "0x3", "1_0", "3Z", "1 0", "", "3.0", "3e0"], value => Post($"Content-Length: {value}\r\n", "abc")),
        .. Each("REL-H", 21, ["18446744073709551619", "9223372036854775808", new string('9', 40)], value => Post($"Content-Length: {value}\r\n", "abc")),
        .. Each("REL-H", 24, [",3", "3,", "\"3\"", "\u00a03", "\u00ef\u00bc\u0093"], value => Post($"Content-Length: {value}\r\n", "abc")),
        Row("REL-H032", "TRACE / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 42\r\n\r\n" + Smuggled, 405),
        Row("REL-H033", Post("Content-Length : 42\r\n", Smuggled)),
        Row("REL-H035", "POST / HTTP/1.1\r\n\tContent-Length: 3\r\nHost: app.test\r\n\r\nabc"),
        Row("REL-H036", "POST / HTTP/1.0\r\nHost: app.test\r\n" + Chunked + "\r\n0\r\n\r\n"),
        Row("REL-H037", "POST / HTTP/1.0\r\nHost: app.test\r\n\r\n", 411, 400),

        .. Each("REL-H", 39, ["xchunked", "identity", "gzip"], value => Post($"Transfer-Encoding: {value}\r\n", "abc"), 501, 400),
        Row("REL-H042", Post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501),
        .. Each("REL-H", 43, ["chunked, gzip", "chunked, chunked", "chunkedchunked"], value => Post($"Content-Length: 5\r\nTransfer-Encoding: {value}\r\n", "0\r\n\r\n")),
        Row("REL-H046", Post(Chunked + Chunked, "0\r\n\r\n")),
        Row("REL-H047", Post(Chunked + "Transfer-Encoding: identity\r\n", "0\r\n\r\n")),
        .. Each("REL-H", 48, [",chunked", "chunked,", "\"chunked\"", "chunked;q=1", ""], value => Post($"Transfer-Encoding: {value}\r\n", "0\r\n\r\n")),
        .. Each(
            "REL-H",
            53,
            ["\u000bchunked", "\u000cchunked", "chunked\0", "chun\rked", "\u00a0chunked", "\u0085chunked", "\u00ffchunked\u00ff"],
            value => Post($"Transfer-Encoding: {value}\r\n", "0\r\n\r\n")),
        Row("REL-H064", Post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")),
        Row("REL-H065", Post("Transfer Encoding: chunked\r\n", "0\r\n\r\n")),
        Row("REL-H067", Post("Transfer-Encoding\u0085: chunked\r\n", "0\r\n\r\n")),
        Row("REL-H068", Post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")),
        Row("REL-H069", Post("Transfer-Encoding: chunked\r\n , identity\r\n", "0\r\n\r\n")),
        Row("REL-H070", Post(" Transfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        Row("REL-H071", Post("X: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        Row("REL-H072", Post("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        Row("REL-H073", Post("Transfer-\r\nEncoding: chunked\r\n", "0\r\n\r\n")),
        Row("REL-H074", Post("Transfer-Encoding chunked\r\n", "0\r\n\r\n")),

        Row("REL-H145", "GET / HTTP/1.1\nHost: app.test\n\n"),
        Row("REL-H146", "GET / HTTP/1.1\r\nHost: app.test\r\n\r\rX" + Smuggled),
        Row("REL-H147", "GET / HTTP/1.1\r\nHost: app.test\r\nX-A: b\n\n" + Smuggled),

        Row("REL-H198", "GET / HTTP/1.1\r\n\r\n"),
        Row("REL-H200", "GET / HTTP/1.1\r\nHost: app.test\r\nHost: other.test\r\n\r\n"),
        Row("REL-H201", "GET / HTTP/1.1\r\nHost: app.test\r\nHost: app.test\r\n\r\n"),
        .. Each("REL-H", 202, [""], Get),
        .. Each("REL-H", 204, ["app.test:0", "app.test:65536", "app.test:-1", "app.test:80a"], Get),
        .. Each("REL-H", 210, ["app.test.."], Get),
        .. Each("REL-H", 212, ["u@app.test", "app.test, other.test", "app.test/", "app test", "app\ttest", "app\0test"], Get),
        .. Each("REL-H", 220, ["::1", "[fe80::1%25eth0]"], Get),
        .. Each("REL-H", 224, ["\u00e4pp.test", new string('a', 254), "app%2etest", "app.test#x", "*"], Get),
    ];

    /// <summary>Refused in the body: its head has gone to an endpoint, its end never does.</summary>
    public static IEnumerable<TheoryDataRow<string, string, int[]>> RefusedBodies() =>
    [
        .. Each("REL-H", 77, ["0x3", "+3", "-3", "0_3", "3zz", " 3", "3 ", "3\t", ""], size => Post(Chunked, size + "\r\nabc\r\n0\r\n\r\n")),
        .. Each("REL-H", 87, [new string('0', 20) + "3", "10000000000000003", "100000003"], size => Post(Chunked, size + "\r\nabc\r\n0\r\n\r\n")),
        Row("REL-H091", Post(Chunked, "3,3\r\nabc\r\n0\r\n\r\n")),
        .. Each("REL-H", 94, ["3;\nxx", "3\rX", "3\r\r;a", "3;a\0b"], size => Post(Chunked, size + "\r\nabc\r\n0\r\n\r\n" + Smuggled)),
        Row("REL-H098", Post(Chunked, "3;" + new string('a', 65536) + "\r\nabc\r\n0\r\n\r\n")),
        Row("REL-H099", Post(Chunked, string.Concat(Enumerable.Repeat("1;" + new string('a', 64) + "\r\nx\r\n", 2000)) + "0\r\n\r\n")),
        Row("REL-H100", Post(Chunked, "3\nabc\r\n0\r\n\r\n")),
        Row("REL-H101", Post(Chunked, "3\r\nabc\n0\r\n\r\n")),
        Row("REL-H102", Post(Chunked, "3\r\nabcXX0\r\n\r\n")),
        Row("REL-H103", Post(Chunked, "5\r\nabc\r\n" + Smuggled)),
        Row("REL-H104", Post(Chunked, "3\r\nabcd\r\n0\r\n\r\n")),
        Row("REL-H105", Post(Chunked, "3\r\nabc\r\n0\n\n")),
        Row("REL-H107", Post(Chunked, "3\r\nabc\r\n\r\n0\r\n\r\n")),
        Row("REL-H108", Post(Chunked, "0\r\nXX" + Smuggled)),
        Row("REL-H109", Post(Chunked, "0\r\n" + Smuggled)),
        Row("REL-H109", Post(Chunked, "0\r\n" + Smuggled.Replace("Host:", "Host", StringComparison.Ordinal))),
        Row("REL-H111", Post(Chunked, "INVALID!!!\r\n" + Smuggled)),
        Row("REL-H117", Post(Chunked, "0\r\nbad\r\n\r\n")),
        Row("REL-H118", Post(Chunked, "0\r\nX-T: " + new string('a', 40_000) + "\r\n\r\n"), 431),
        Row("REL-H119", Post(Chunked, "0\r\n" + string.Concat(Enumerable.Repeat("X-T: 1\r\n", 1000)) + "\r\n"), 431),
    ];

    /// <summary>Unusual, legal, and answered: the request, and what the endpoint must get as its body.</summary>
    public static IEnumerable<TheoryDataRow<string, string, string>> Accepted() =>
    [
        Ok("REL-H001", "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", ""),
        Ok("REL-H002", Post("Content-Length: 3\r\n", "abc"), "abc"),
        Ok("REL-H003", Post(Chunked, "3\r\nabc\r\n0\r\n\r\n"), "abc"),
        Ok("REL-H020", Post("Content-Length: 0000003\r\n", "abc"), "abc"),
        Ok("REL-H029", "GET / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 42\r\n\r\n" + Smuggled, Smuggled),
        Ok("REL-H031", "OPTIONS / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 42\r\n\r\n" + Smuggled, Smuggled),
        Ok("REL-H034", Post("Content_Length: 42\r\nContent-Length: 0\r\n", ""), ""),
        Ok("REL-H038", "POST / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", "abc"),
        Ok("REL-H060", Post("Transfer-Encoding: chunked\t\r\n", "3\r\nabc\r\n0\r\n\r\n"), "abc"),
        Ok("REL-H061", Post("Transfer-Encoding:\tchunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), "abc"),
        Ok("REL-H062", Post("Transfer-Encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n"), "abc"),
        Ok("REL-H063", Post("tRANSFER-eNCODING: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), "abc"),
        Ok("REL-H066", Post("Transfer_Encoding: chunked\r\nContent-Length: 3\r\n", "abc"), "abc"),
        Ok("REL-H075", Post("Connection: close, Transfer-Encoding\r\n" + Chunked, "3\r\nabc\r\n0\r\n\r\n"), "abc"),
        Ok("REL-H076", Post("Connection: close, Content-Length\r\nContent-Length: 3\r\n", "abc"), "abc"),
        Ok("REL-H086", Post(Chunked, "A\r\n0123456789\r\n0\r\n\r\n"), "0123456789"),
        Ok("REL-H092", Post(Chunked, "3;a=b\r\nabc\r\n0\r\n\r\n"), "abc"),
        Ok("REL-H093", Post(Chunked, "3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n"), "abc"),
        Ok("REL-H106", Post(Chunked, "3\r\nabc\r\n000\r\n\r\n"), "abc"),
        Ok("REL-H112", Post(Chunked, "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"), "abc"),
        Ok("REL-H113", Post(Chunked, "3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n"), "abc"),
        Ok("REL-H114", Post(Chunked, "3\r\nabc\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n"), "abc"),
        Ok("REL-H115", Post(Chunked, "3\r\nabc\r\n0\r\nHost: evil.test\r\nAuthorization: x\r\n\r\n"), "abc"),
        Ok("REL-H116", Post(Chunked, "3\r\nabc\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"), "abc"),
        Ok("REL-H203", Get("app.test:80"), ""),
        Ok("REL-H208", Get("app.test:"), ""),
        Ok("REL-H209", Get("app.test."), ""),
        Ok("REL-H211", Get("APP.TEST"), ""),
    ];

    public static string Get(string host) => $"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n";

    private static string Post(string headers, string body) => Head + headers + "\r\n" + body;

    private static TheoryDataRow<string, string, int[]> Row(string id, string bytes, params int[] statuses) =>
        new TheoryDataRow<string, string, int[]>(id, Escape(bytes), statuses.Length == 0 ? [400] : statuses).WithTrait("Row", id);

    private static TheoryDataRow<string, string, string> Ok(string id, string bytes, string body) =>
        new TheoryDataRow<string, string, string>(id, Escape(bytes), body).WithTrait("Row", id);

    private static IEnumerable<TheoryDataRow<string, string, int[]>> Each(string prefix, int first, string[] values, Func<string, string> request, params int[] statuses) =>
        values.Select((value, index) => Row($"{prefix}{first + index:000}", request(value), statuses));

    /// <summary>Test names travel as text; control characters would not survive.</summary>
    private static string Escape(string bytes) => Convert.ToBase64String(Encoding.Latin1.GetBytes(bytes));

    public static string Unescape(string bytes) => Encoding.Latin1.GetString(Convert.FromBase64String(bytes));
}
