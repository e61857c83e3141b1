// SPDX-License-Identifier: Apache-2.0
// What the wipe passes over reads as zero, in every kind of memory that it goes through, whatever was there and
// whatever is written at the same time; row_mem has both of its halves cleared by one address. What ctx_ram writes back
// with a bit corrected is never what a wipe has cleared since. That every address is passed is reset_wipe's. Memories of
// four addresses begin with anything in them.
`default_nettype none

module memory_wipe (
	input wire          clk,
	input wire          wipe,
	input wire [1:0]    wipe_at,
	input wire          we,
	input wire [2:0]    waddr,
	input wire [767:0]  wdata,
	input wire [3:0]    wbe,
	input wire [2:0]    raddr,
	input wire          hold,
	input wire [1:0]    inject, inject_write
);
	wire [31:0] rows;
	row_mem #(.ROW_BITS (3), .OCTETS (2)) row_dut (
		.clk (clk), .we (we), .wrow (waddr), .wdata (wdata[31:0]), .wbe (wbe), .rrow (raddr), .rdata (rows), .wipe (wipe),
		.wipe_at (wipe_at)
	);
	wire [15:0] info;
	info_ram #(.WIDTH (16), .LOG2 (2)) info_dut (
		.clk (clk), .we (we), .waddr (waddr[1:0]), .wdata (wdata[15:0]), .hold (1'b0), .raddr (raddr[1:0]),
		.rdata (info), .wipe (wipe), .wipe_at (wipe_at)
	);
	wire [767:0] ctx;
	wire corrected, fatal;
	ctx_ram #(.CTX_BITS (1)) ctx_dut (
		.clk (clk), .we (we), .waddr (waddr[1:0]), .wdata (wdata), .hold (hold), .raddr (raddr[1:0]),
		.rdata (ctx), .corrected (corrected), .fatal (fatal), .inject (inject), .inject_write (inject_write), .wipe (wipe),
		.wipe_at (wipe_at)
	);

	// The address (which: any) was wiped, and nothing written there since: one for two rows of row_mem, one word elsewhere.
	(* anyconst *) reg [1:0] w;
	reg began = 1'b0, clean = 1'b0, word = 1'b0;
	reg even_clean = 1'b0, odd_clean = 1'b0, turned = 1'b0, info_clean = 1'b0, ctx_clean = 1'b0, ctx_clean_q = 1'b0;
	reg [1:0] flip, flip_q;
	wire [1:0] even_at = waddr[2:1] + {1'b0, waddr[0]};
	wire [1:0] even_read = raddr[2:1] + {1'b0, raddr[0]};
	always @(posedge clk) begin
		began <= 1'b1;
		if (wipe && wipe_at == w) {clean, word} <= 2'b11;
		else if (!wipe && we) begin
			if (even_at == w || waddr[2:1] == w) clean <= 1'b0;
			if (waddr[1:0] == w) word <= 1'b0;
		end
		even_clean <= clean && even_read == w;
		odd_clean <= clean && raddr[2:1] == w;
		turned <= raddr[0];
		info_clean <= word && raddr[1:0] == w;
		if (!hold) {ctx_clean, ctx_clean_q, flip, flip_q} <= {word && raddr[1:0] == w, ctx_clean, inject, flip};
	end

	always @* begin
		if (even_clean) assert ((turned ? rows[31:16] : rows[15:0]) == 16'h0);
		if (odd_clean) assert ((turned ? rows[15:0] : rows[31:16]) == 16'h0);
		if (info_clean) assert (info == 16'h0);
		if (ctx_clean_q && flip_q != 2'b11) assert (ctx == 768'h0 && corrected == (flip_q != 2'b00) && !fatal);
	end

`ifdef INVARIANTS
	(* hierconn *) wire [63:0] \row_dut.evens.probe , \row_dut.odds.probe ;
	(* hierconn *) wire \row_dut.turned ;
	(* hierconn *) wire [63:0] \info_dut.probe ;
	(* hierconn *) wire [3455:0] \ctx_dut.probe ;
	(* hierconn *) wire [863:0] \ctx_dut.read ;
	(* hierconn *) wire [1:0] \ctx_dut.flip , \ctx_dut.read_addr , \ctx_dut.rdata_addr ;
	(* hierconn *) wire \ctx_dut.read_old , \ctx_dut.rdata_old ;
	function [15:0] word_of(input [63:0] words, input [1:0] i);
		word_of = i[1] ? (i[0] ? words[63:48] : words[47:32]) : (i[0] ? words[31:16] : words[15:0]);
	endfunction
	function [863:0] ctx_of(input [3455:0] rows, input [1:0] i);
		ctx_of = i[1] ? (i[0] ? rows[3455:2592] : rows[2591:1728]) : (i[0] ? rows[1727:864] : rows[863:0]);
	endfunction
	always @* begin
		if (clean) assert (word_of(\row_dut.evens.probe , w) == 0 && word_of(\row_dut.odds.probe , w) == 0);
		if (word) assert (word_of(\info_dut.probe , w) == 0 && ctx_of(\ctx_dut.probe , w) == 0);
		if (began) assert (turned == \row_dut.turned );
		if (ctx_clean || (word && \ctx_dut.read_addr == w && !\ctx_dut.read_old )) assert (\ctx_dut.read == 0);
		if (ctx_clean) assert (flip == \ctx_dut.flip );
		if (word && \ctx_dut.rdata_addr == w && !\ctx_dut.rdata_old ) assert (ctx == 0 || fatal);
	end
`endif

	always @* begin
		cover (began && even_clean && turned && rows[0]);
		cover (began && odd_clean && even_clean && !turned);
		cover (began && ctx_clean_q && !word && ctx_clean);
		cover (began && word && corrected && !fatal && hold && !wipe && !we); // what was read is written back
	end
endmodule

`default_nettype wire
