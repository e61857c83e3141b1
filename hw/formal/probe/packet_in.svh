	genvar formal_i;
	wire [18*SLOTS-1:0] probe_infos;
	generate
		for (formal_i = 0; formal_i < SLOTS; formal_i = formal_i + 1) begin : formal_word
			assign probe_infos[18*formal_i +: 18] = infos[formal_i];
		end
	endgenerate
